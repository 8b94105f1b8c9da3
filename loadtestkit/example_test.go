package loadtestkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// t stands for the *testing.T that a test is given.
var t testing.TB = example{}

type example struct{ testing.TB }

func (example) Helper()                  {}
func (example) Name() string             { return "TestExample" }
func (example) Failed() bool             { return false }
func (example) Context() context.Context { return context.Background() }
func (example) Output() io.Writer        { return io.Discard }
func (example) Logf(string, ...any)      {}
func (example) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stdout, format+"\n", args...)
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `["one","two"]`)
	})
	return mux
}

// A performance assertion: in a test, t is the test's.
func Example() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:      loadtestkit.Handler(routes()),
		Path:        "/items",
		Requests:    12_000,
		Concurrency: 20,
		Limits:      loadtestkit.Limits{P99: 10 * time.Second, Throughput: 1},
		// Where a busy machine keeps it from being clear, the test goes on.
		OnInconclusive: loadtestkit.Warn,
	})
	fmt.Println(report.Succeeded, "succeeded")
	// Output: 12000 succeeded
}

// An open workload: requests are due on a schedule, whatever the target does.
func ExampleRun() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()),
		Path:     "/items",
		Rate:     1000,
		Duration: 100 * time.Millisecond,
	})
	fmt.Println(report.Due, "due,", report.Sent, "sent")
	// Output: 100 due, 100 sent
}

func ExampleMeasure() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()),
		Path:     "/missing",
		Requests: 10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[404:10] <nil>
}

func ExampleHandler() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()),
		Path:     "/items",
		Requests: 10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:10] <nil>
}

func ExampleTLSHandler() {
	secure := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			w.WriteHeader(http.StatusUpgradeRequired)
		}
	})
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.TLSHandler(secure),
		Requests: 10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:10] <nil>
}

func ExampleURL() {
	server := httptest.NewServer(routes())
	defer server.Close()
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.URL(server.URL + "/items"),
		Requests: 10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:10] <nil>
}

// Any Go code can be the target.
func ExampleFunc() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Func(func(ctx context.Context) error {
			if strings.HasSuffix(loadtestkit.RequestID(ctx), "7") {
				return errors.New("unlucky")
			}
			return nil
		}),
		Requests: 20,
	})
	fmt.Println(report.Succeeded, report.Errors, err)
	// Output: 18 map[check:2] <nil>
}

// The id that the report gives beside a slow or failed request is the one that
// the handler could write to its log.
func ExampleRequestID() {
	logged := make(chan string, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logged <- loadtestkit.RequestID(r.Context())
	})
	loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: loadtestkit.Handler(h), Requests: 1})
	_, number, _ := strings.Cut(<-logged, "-")
	fmt.Println(number)
	// Output: 000000000000
}

func ExampleTarget() {
	for _, target := range []loadtestkit.Target{
		loadtestkit.Handler(routes()),
		loadtestkit.TLSHandler(routes()),
	} {
		report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: target, Path: "/items", Requests: 5})
		fmt.Println(report.Succeeded)
	}
	// Output:
	// 5
	// 5
}

func ExampleOptions() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s: %s", r.Method, r.Header.Get("Content-Type"), body)
		})),
		Method:      "POST",
		Header:      http.Header{"Content-Type": {"application/json"}},
		Body:        []byte(`{"name":"three"}`),
		Requests:    100,
		Concurrency: 5,
		Timeout:     5 * time.Second,
	})
	fmt.Println(report.Succeeded, err)
	// Output: 100 <nil>
}

// Options that cannot work say so, all at once.
func ExampleOptions_invalid() {
	_, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:      loadtestkit.Handler(routes()),
		Concurrency: -5,
		Rate:        -1,
	})
	fmt.Println(err)
	// Output: loadtestkit: options: Concurrency: -5 is out of range, want 1 to 1000000; Rate: -1 is out of range, want arrivals per second from 1e-6 to 1e9
}

// A ramp, a spike and a pause.
func ExampleStage() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()),
		Path:   "/items",
		Stages: []loadtestkit.Stage{
			{For: 100 * time.Millisecond, From: 0, To: 400}, // 20 arrivals
			{For: 10 * time.Millisecond, From: 2000, To: 2000},
			{For: 50 * time.Millisecond},
		},
	})
	fmt.Println(report.Due, "due", err)
	// Output: 40 due <nil>
}

// A limit that is missed fails the test with one line.
func ExampleLimits() {
	loadtestkit.Run(t, loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()),
		Path:     "/missing",
		Requests: 50,
		Limits:   loadtestkit.Limits{ErrorRatio: 0}, // none may fail
	})
	// Output: loadtestkit: error ratio 1, want <= 0 (50 of 50: status 404 50)
}

func ExampleReport() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(5 * time.Millisecond)
		})),
		Requests: 20,
	})
	fmt.Println(report.Due == report.Sent+report.Unsent)
	fmt.Println(report.Sent == report.Succeeded+report.Failed+report.Unfinished)
	// Output:
	// true
	// true
}

func ExampleReport_ResponseTime() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:   loadtestkit.Func(func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }),
		Requests: 20,
	})
	median, ok := report.ResponseTime(0.5)
	fmt.Println(median >= 5*time.Millisecond, ok)
	// Output: true true
}

func ExampleReport_ServiceTime() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:      loadtestkit.Func(func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }),
		Rate:        1000, // more than one permit can take
		Requests:    20,
		Concurrency: 1,
	})
	response, _ := report.ResponseTime(1)
	service, _ := report.ServiceTime(1)
	fmt.Println(response > service, "users waited longer than the target took")
	// Output: true users waited longer than the target took
}

func ExampleReport_WriteText() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()), Path: "/items", Requests: 10,
	})
	var text strings.Builder
	report.WriteText(&text)
	fmt.Println(strings.Contains(text.String(), "Succeeded:  10"))
	// Output: true
}

func ExampleReport_WriteJSON() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()), Path: "/items", Requests: 10,
	})
	var json strings.Builder
	report.WriteJSON(&json)
	fmt.Println(strings.Contains(json.String(), `"succeeded": 10`))
	// Output: true
}
