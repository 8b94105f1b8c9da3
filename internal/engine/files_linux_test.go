package engine

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/report"
)

func init() { children["default concurrency"] = defaultConcurrencies }

// concurrencies are those of plans, and what their reports say about them.
type concurrencies struct {
	Open, Closed, Memory, TLS, Compare, CompareHandlers, Ahead int
	Slow, Fast                                                 []string // warnings
	Control                                                    []string // sensors that were off
}

// defaultConcurrencies plans with 200 file descriptors, of which 136 are for
// connections.
func defaultConcurrencies(url string) (any, error) {
	if err := limitFiles(200); err != nil {
		return nil, err
	}
	var c concurrencies
	open := Settings{Load: Load{Rate: 20}}
	run := func(to *int, o RunOptions) {
		o.Requests = 5
		p, err := NewRun(o)
		if err != nil {
			panic(err)
		}
		*to = p.(*runPlan).arm.Concurrency
	}
	target, handler := Target{URL: url}, Target{Handler: http.NotFoundHandler()}
	run(&c.Open, RunOptions{Target: target, Settings: open})
	run(&c.Closed, RunOptions{Target: target})
	run(&c.Memory, RunOptions{Target: handler, Settings: open})
	handler.TLS = true
	run(&c.TLS, RunOptions{Target: handler, Settings: open})
	compare := func(to *int, target Target) {
		p, err := NewComparison(CompareOptions{Base: target, Head: target, Settings: open})
		if err != nil {
			panic(err)
		}
		*to = p.(*comparePlan).head.Concurrency
	}
	compare(&c.Compare, target)
	compare(&c.CompareHandlers, handler)

	warnings := func(codes *[]string, d *report.Document) {
		*codes = []string{}
		for _, w := range d.Generator.Warnings {
			if w.Code == "few_files" {
				*codes = append(*codes, w.Text)
			}
		}
	}
	d, err := measure(RunOptions{Target: target, Settings: Settings{Load: Load{Rate: 10}}, Requests: 5, Control: true})
	if err != nil {
		return nil, err
	}
	warnings(&c.Slow, d)
	for _, off := range d.Generator.SensorsOff {
		if len(off) > 8 && off[:8] == "control:" {
			c.Control = append(c.Control, off)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // which never answers
	if err != nil {
		return nil, err
	}
	defer l.Close()
	silent := Target{URL: "http://" + l.Addr().String()}
	if d, err = measure(RunOptions{Target: silent, Settings: Settings{Load: Load{Rate: 2000}, Timeout: time.Second}, Requests: 400}); err != nil {
		return nil, err
	}
	warnings(&c.Fast, d)
	c.Ahead = d.Config.ConnectionsAhead
	return c, nil
}

// A concurrency that was not asked for is what the file descriptors allow, and the
// report says so if all of it was used.
func TestDefaultConcurrencyFitsTheFiles(t *testing.T) {
	var c concurrencies
	result(t, child(t, "default concurrency", raw(t, nil).URL), &c)
	const free = 200 - 64
	assert.Equal(t, free, c.Open)
	assert.Equal(t, 10, c.Closed)
	assert.Equal(t, 1000, c.Memory, "connections in memory need none")
	assert.Equal(t, free/2, c.TLS, "both ends are in the process")
	assert.Equal(t, free/2, c.Compare, "two targets")
	assert.Equal(t, free/4, c.CompareHandlers, "two targets with both ends")
	assert.Equal(t, free, c.Ahead)
	assert.Empty(t, c.Slow, "one at a time")
	assert.Empty(t, c.Control, "the control fits too")
	assert.Equal(t, []string{"at most 136 requests could be in flight instead of 1000, because this process may open too few files (ulimit -n)"}, c.Fast)
}
