package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// requestsEnv is the environment variable that sets how many requests
// TestInProcess sends.
const requestsEnv = "PEERS_REQUESTS"

func inProcessTable(ctx context.Context, b *bench) (*section, error) {
	requests := 300_000
	if b.quick {
		requests = 20_000
	}
	s := &section{title: "In process: a test with loadtestkit and one written by hand", intro: fmt.Sprintf(`A go test sends %s requests to an empty handler in its own process, 64 at a time,
and judges a percentile: once with loadtestkit.Run, in memory, and once with 64
goroutines, an http.Client and httptest, over TCP (inprocess_test.go). Times are
those of the whole process, from start to end. On one CPU, and on all of them.`, thousands(int64(requests)))}
	binary := filepath.Join(b.dir, "inprocess.test")
	module := filepath.Join(b.root, "internal", "peers")
	if _, err := runGo(ctx, "-C", module, "test", "-c", "-o", binary, "."); err != nil {
		return nil, err
	}
	tests := []struct{ row, name string }{{"loadtestkit", "kit"}, {"by hand", "hand"}}
	places := []struct {
		name string
		cpu  int
	}{{"one CPU", b.client}, {"all CPUs", anyCPU}}
	if b.client == anyCPU {
		places = places[1:]
	}
	var columns []string
	for _, p := range places {
		columns = append(columns, "requests/s, "+p.name, "CPU µs/request, "+p.name)
	}
	g := newGrid("", "test", []string{"loadtestkit", "by hand"}, columns)
	for round := range b.rounds {
		for p, place := range places {
			b.logf("inprocess, round %d of %d: %s", round+1, b.rounds, place.name)
			for i := range tests {
				t := tests[(i+round)%len(tests)]
				bound, cancel := context.WithTimeout(ctx, 5*time.Minute)
				cmd := newCommand(bound, binary, "-test.run", "^TestInProcess$/^"+t.name+"$", "-test.v")
				cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", requestsEnv, requests))
				u, err := measure(cmd, place.cpu, 0)
				cancel()
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err != nil {
					s.note("%s, %s: %v", t.row, place.name, err)
					continue
				}
				g.add(t.row, columns[2*p], float64(requests)/u.wall.Seconds())
				g.add(t.row, columns[2*p+1], float64(u.cpu.Microseconds())/float64(requests))
			}
		}
	}
	s.grids = []*grid{g, g.ratios("loadtestkit")}
	return s, nil
}
