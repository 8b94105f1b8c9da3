package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// atOnce is how many requests are in flight.
const atOnce = 64

// TestInProcess is the same load test written twice, for [inProcessTable] to
// compare.
func TestInProcess(t *testing.T) {
	requests := 8_000 // enough for a clear p95, even if 64 at a time are slow together
	if text := os.Getenv(requestsEnv); text != "" {
		var err error
		if requests, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	empty := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	const bound = 10 * time.Second // generous, because this does not test speed

	t.Run("kit", func(t *testing.T) {
		loadtestkit.Run(t, loadtestkit.Options{
			Target: loadtestkit.Handler(empty),
			Load:   loadtestkit.Closed(atOnce),
			Count:  int64(requests),
			Limits: loadtestkit.Limits{P95: bound},
		})
	})

	t.Run("hand", func(t *testing.T) {
		server := httptest.NewServer(empty)
		defer server.Close()
		// The default keeps two idle connections, so 62 of 64 would be new.
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
		defer client.CloseIdleConnections()
		took := make([]time.Duration, requests)
		var next atomic.Int64
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				for n := next.Add(1) - 1; n < int64(requests); n = next.Add(1) - 1 {
					start := time.Now()
					resp, err := client.Get(server.URL)
					if err != nil {
						t.Error(err)
						return
					}
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					took[n] = time.Since(start)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("status %d, %v", resp.StatusCode, err)
						return
					}
				}
			})
		}
		wg.Wait()
		slices.Sort(took)
		if p95 := took[requests*95/100]; p95 > bound {
			t.Errorf("p95 %v, want at most %v", p95, bound)
		}
	})
}
