package loadtestkit_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
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
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Load:   loadtestkit.Closed(20),
		Count:  12_000,
		Limits: loadtestkit.Limits{P99: 10 * time.Second, Throughput: 1},
		// Where a busy machine keeps it from being clear, the test goes on.
		OnInconclusive: loadtestkit.Passed,
	})
	fmt.Println(report.Succeeded, "succeeded")
	// Output: 12000 succeeded
}

// An open workload: requests are due on a schedule, whatever the target does.
func ExampleRun() {
	report := loadtestkit.Run(t, loadtestkit.Options{
		Target:   loadtestkit.Handler(routes()).Get("/items"),
		Load:     loadtestkit.Open{Rate: 1000},
		Duration: 100 * time.Millisecond,
	})
	fmt.Println(report.Due, "due,", report.Sent, "sent")
	// Output: 100 due, 100 sent
}

func ExampleMeasure() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/missing"),
		Count:  10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[404:10] <nil>
}

func ExampleHandler() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Count:  10,
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
		Target: loadtestkit.TLSHandler(secure),
		Count:  10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:10] <nil>
}

func ExampleURL() {
	server := httptest.NewServer(routes())
	defer server.Close()
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.URL(server.URL).Get("/items"),
		Count:  10,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:10] <nil>
}

// A server in a process of its own is started for the run.
func ExampleCommand() {
	server := loadtestkit.Command(func(addr string) *exec.Cmd {
		c := exec.Command(os.Args[0]) // or exec.Command("bin/server", "-listen", addr)
		c.Env = append(os.Environ(), "LOADTESTKIT_TEST_SERVER="+addr)
		return c
	})
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: server.Get("/0"),
		Count:  10,
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
		Count: 20,
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
	loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: loadtestkit.Handler(h), Count: 1})
	_, number, _ := strings.Cut(<-logged, "-")
	fmt.Println(number)
	// Output: 000000000000
}

func ExampleTarget() {
	for _, target := range []loadtestkit.Target{
		loadtestkit.Handler(routes()).Get("/items"),
		loadtestkit.TLSHandler(routes()).Get("/items"),
		loadtestkit.Func(func(context.Context) error { return nil }),
	} {
		report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: target, Count: 5})
		fmt.Println(report.Succeeded)
	}
	// Output:
	// 5
	// 5
	// 5
}

// The settings of a server are those of its connections, and of every request.
func ExampleServer() {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(routes())
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())

	server := loadtestkit.URL(s.URL)
	server.TLSConfig = &tls.Config{RootCAs: roots}
	server.NoKeepAlive = true
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: server.Get("/items"), Count: 10})
	fmt.Println(report.Succeeded, opened.Load() >= 10, err)
	// Output: 10 true <nil>
}

func ExampleServer_Get() {
	server := loadtestkit.Handler(routes())
	for _, path := range []string{"/items", "/missing"} {
		report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: server.Get(path), Count: 10})
		fmt.Println(report.StatusCodes)
	}
	// Output:
	// map[200:10]
	// map[404:10]
}

func ExampleServer_Send() {
	remove := loadtestkit.Handler(routes()).Send(loadtestkit.Request{Method: "DELETE", Path: "/items"})
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{Target: remove, Count: 10})
	fmt.Println(report.StatusCodes, err)
	// Output: map[405:10] <nil>
}

func ExampleRequest() {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "application/json" || string(body) != `{"name":"three"}` {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(echo).Send(loadtestkit.Request{
			Method: "POST",
			Path:   "/items?dry=1",
			Header: http.Header{"Content-Type": {"application/json"}},
			Body:   []byte(`{"name":"three"}`),
		}),
		Count: 100,
	})
	fmt.Println(report.StatusCodes, err)
	// Output: map[200:100] <nil>
}

// A check of what a response says.
func ExampleResponse() {
	loadtestkit.Run(t, loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Send(loadtestkit.Request{
			Path: "/items",
			Check: func(r *loadtestkit.Response) error {
				if len(r.Header["Etag"]) == 0 {
					return fmt.Errorf("no ETag with %s", r.Body)
				}
				return nil
			},
		}),
		Count: 50,
	})
	// Output: loadtestkit: error ratio 1, want <= 0 (50 of 50: check 50; first: no ETag with ["one","two"])
}

func ExampleLoad() {
	for _, load := range []loadtestkit.Load{
		loadtestkit.Closed(5),
		loadtestkit.Open{Rate: 1000},
		loadtestkit.Staged{Stages: []loadtestkit.Stage{{Duration: 40 * time.Millisecond, From: 1000, To: 1000}}},
	} {
		report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
			Target: loadtestkit.Handler(routes()).Get("/items"),
			Load:   load,
			Count:  40,
		})
		fmt.Println(report.Sent)
	}
	// Output:
	// 40
	// 40
	// 40
}

// Both sides of a comparison get the same load, in short blocks.
func ExampleSteadyLoad() {
	steady := []loadtestkit.SteadyLoad{loadtestkit.Closed(8), loadtestkit.Open{Rate: 2000}}
	fmt.Printf("%T, %T\n", steady[0], steady[1])
	// Output: loadtestkit.Closed, loadtestkit.Open
}

func ExampleClosed() {
	var inside, most atomic.Int64
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Func(func(context.Context) error {
			defer inside.Add(-1)
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Millisecond)
			return nil
		}),
		Load:  loadtestkit.Closed(3),
		Count: 30,
	})
	fmt.Println(report.Succeeded, most.Load() <= 3, err)
	// Output: 30 true <nil>
}

// Arrivals at random, the same ones each time.
func ExampleOpen() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Load:   loadtestkit.Open{Rate: 1000, Poisson: true, Seed: 7},
		Count:  50,
	})
	fmt.Println(report.Due, err)
	// Output: 50 <nil>
}

// A ramp, a spike and a pause.
func ExampleStaged() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Load: loadtestkit.Staged{Stages: []loadtestkit.Stage{
			{Duration: 100 * time.Millisecond, From: 0, To: 400}, // 20 arrivals
			{Duration: 10 * time.Millisecond, From: 2000, To: 2000},
			{Duration: 50 * time.Millisecond},
		}},
	})
	fmt.Println(report.Due, "due", err)
	// Output: 40 due <nil>
}

// A rate that doubles.
func ExampleStage() {
	stages := []loadtestkit.Stage{
		{Duration: 50 * time.Millisecond, From: 200, To: 200}, // 10 arrivals
		{Duration: 50 * time.Millisecond, From: 400, To: 400}, // 20
	}
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"),
		Load:   loadtestkit.Staged{Stages: stages},
	})
	fmt.Println(report.Due, err)
	// Output: 30 <nil>
}

func ExampleOptions() {
	report, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:  loadtestkit.Handler(routes()).Get("/items"),
		Load:    loadtestkit.Closed(5),
		Count:   100,
		Timeout: 5 * time.Second,
	})
	fmt.Println(report.Succeeded, err)
	// Output: 100 <nil>
}

// Options that cannot work say so, all at once.
func ExampleOptions_invalid() {
	_, err := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target:  loadtestkit.Handler(routes()),
		Load:    loadtestkit.Open{Rate: -1},
		Timeout: -time.Second,
	})
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", ";\n"))
	// Output:
	// loadtestkit: options: Timeout: -1s is out of range, want a time such as 10s;
	// Open.Rate: -1 is out of range, want arrivals per second from 1e-6 to 1e9
}

// A limit that is missed fails the test with one line.
func ExampleLimits() {
	loadtestkit.Run(t, loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/missing"),
		Count:  50,
		Limits: loadtestkit.Limits{ErrorRatio: 0}, // none may fail
	})
	// Output: loadtestkit: error ratio 1, want <= 0 (50 of 50: status 404 50; first: 404 page not found)
}

func ExampleReport() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(5 * time.Millisecond)
		})),
		Count: 20,
	})
	fmt.Println(report.Due == report.Sent+report.Unsent)
	fmt.Println(report.Sent == report.Succeeded+report.Failed+report.Unfinished)
	// Output:
	// true
	// true
}

func ExampleReport_ResponseTime() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Func(func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }),
		Count:  20,
	})
	median, ok := report.ResponseTime(0.5)
	fmt.Println(median >= 5*time.Millisecond, ok)
	// Output: true true
}

func ExampleReport_ServiceTime() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Func(func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }),
		Load:   loadtestkit.Open{Rate: 1000, Concurrency: 1}, // more than one permit can take
		Count:  20,
	})
	response, _ := report.ResponseTime(1)
	service, _ := report.ServiceTime(1)
	fmt.Println(response > service, "users waited longer than the target took")
	// Output: true users waited longer than the target took
}

func ExampleReport_WriteText() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"), Count: 10,
	})
	var text strings.Builder
	report.WriteText(&text)
	fmt.Println(strings.Contains(text.String(), "Succeeded:  10"))
	// Output: true
}

func ExampleReport_WriteJSON() {
	report, _ := loadtestkit.Measure(context.Background(), loadtestkit.Options{
		Target: loadtestkit.Handler(routes()).Get("/items"), Count: 10,
	})
	var json strings.Builder
	report.WriteJSON(&json)
	fmt.Println(strings.Contains(json.String(), `"succeeded": 10`))
	// Output: true
}
