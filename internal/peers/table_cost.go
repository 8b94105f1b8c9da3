package main

import (
	"context"
	"fmt"
	"time"
)

// A workload is a job on nginx, and the name of its column.
type workload struct {
	name string
	job  job
}

// A metric is one figure of a cost.
type metric struct {
	name  string
	value func(c cost) float64
}

// A cost is what one run took, and what nginx counted during it.
type cost struct {
	usage    usage
	result   result // as the tool reports it
	requests int64
	elapsed  time.Duration
	body     int // octets in each response's body
}

var (
	cpuPerRequest = metric{"client CPU per request, µs", func(c cost) float64 {
		return float64(c.usage.cpu) / float64(time.Microsecond) / float64(c.requests)
	}}
	requestRate = metric{"requests per second", func(c cost) float64 { return float64(c.requests) / c.elapsed.Seconds() }}
	bodyRate    = metric{"MiB per second", func(c cost) float64 {
		return float64(c.requests) * float64(c.body) / (1 << 20) / c.elapsed.Seconds()
	}}
	peakMiB  = metric{"peak memory, MiB", func(c cost) float64 { return float64(c.usage.peak) / (1 << 20) }}
	stopTime = metric{"from SIGINT to the end, ms", func(c cost) float64 { return ms(c.usage.stop) }}
)

const costIntro = `CPU is the user and system time of the tool's whole process, from start to end,
divided by the number of requests that nginx counted (stub_status). nginx has one
worker, alone on the other CPU. Memory is the peak of the whole process. Ratios are
of medians: below 1, load-tester takes less, or does less.

`

func cpuTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Cost by connections", intro: costIntro + "A body of 13 octets, connections kept alive."}
	numbers := []int{1, 16, 64, 256, 1000, 5000}
	if b.quick {
		numbers = []int{64}
	}
	var works []workload
	for _, n := range numbers {
		if !b.canOpen(n) {
			s.note("%d connections are left out: at most %d files may be open", n, b.files)
			continue
		}
		works = append(works, workload{thousands(int64(n)), job{connections: n, body: plainBody}})
	}
	return s, b.measureCosts(ctx, s, works, cpuPerRequest, requestRate, peakMiB)
}

func bodyTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Cost of bodies", intro: costIntro + "64 connections, kept alive; files that nginx sends by sendfile."}
	var works []workload
	for _, n := range []int{64 << 10, 1 << 20} {
		if !b.quick || n < 1<<20 {
			works = append(works, workload{size(n), job{connections: 64, body: n}})
		}
	}
	return s, b.measureCosts(ctx, s, works, bodyRate, cpuPerRequest, peakMiB)
}

func tlsTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Cost of HTTPS", intro: costIntro + "A body of 13 octets, 64 connections, kept alive, TLS 1.3 with AES-128-GCM, HTTP/1.1."}
	works := []workload{{"64 connections", job{connections: 64, body: plainBody, url: "https:"}}}
	return s, b.measureCosts(ctx, s, works, cpuPerRequest, requestRate, peakMiB)
}

func freshTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Cost of a new connection for each request", intro: costIntro + "A body of 13 octets, 64 at once."}
	works := []workload{{"64 at once", job{connections: 64, body: plainBody, fresh: true}}}
	return s, b.measureCosts(ctx, s, works, cpuPerRequest, requestRate, peakMiB)
}

func openTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Cost of an open workload", intro: costIntro + fmt.Sprintf(`20,000 requests per second are asked for, a body of 13 octets; %d connections for
tools that want a number, the others open what they need. A tool that sends fewer
requests shows it in requests per second.`, pool)}
	works := []workload{{"20,000/s", job{rate: 20_000, connections: pool, body: plainBody}}}
	return s, b.measureCosts(ctx, s, works, cpuPerRequest, requestRate, peakMiB)
}

func stopTable(ctx context.Context, b *bench) (*section, error) {
	j := job{connections: 5000, body: plainBody, interrupt: b.length, duration: b.length + 30*time.Second}
	if b.quick {
		j.connections = 64
	}
	s := &section{title: "Stop: from Ctrl+C to the end", intro: fmt.Sprintf(`A tool that keeps %s connections busy is sent SIGINT after %v. Before its process
ends it may wait for the responses in flight, which nginx, alone on the other CPU,
sends as fast as it can; it closes its connections and writes its report. A tool
that writes no report has no figure.`, thousands(int64(j.connections)), j.interrupt)}
	if !b.canOpen(j.connections) {
		s.note("Not measured: at most %d files may be open, too few for %d connections", b.files, j.connections)
		return s, nil
	}
	return s, b.measureCosts(ctx, s, []workload{{j.String(), j}}, stopTime)
}

// measureCosts measures workloads on one nginx. Several workloads make a grid
// for each metric, with a column for each workload; one makes a single grid,
// with a column for each metric. Grids of ratios follow.
func (b *bench) measureCosts(ctx context.Context, s *section, works []workload, metrics ...metric) error {
	n, err := b.startNginx(ctx)
	if err != nil {
		s.note("Not measured: %v", err)
		return nil
	}
	defer n.stop()
	place := s.addGrids(b.names(), works, metrics)
	for round := range b.rounds {
		for _, w := range works {
			b.logf("%s, round %d of %d: %s", s.title, round+1, b.rounds, w.name)
			for _, t := range b.order(round) {
				c, ok := b.measureCost(ctx, s, n, t, w.job)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if !ok {
					continue
				}
				for _, m := range metrics {
					g, column := place(w, m)
					g.add(t.name, column, m.value(c))
				}
			}
		}
	}
	for _, g := range s.grids {
		if g.title != peakMiB.name && len(g.rows) > 1 {
			s.grids = append(s.grids, g.ratios(ours.name))
		}
	}
	return nil
}

// addGrids adds the grids of [bench.measureCosts]. The returned function says
// in which grid and column a figure belongs.
func (s *section) addGrids(rows []string, works []workload, metrics []metric) func(workload, metric) (*grid, string) {
	var columns []string
	if len(works) == 1 {
		for _, m := range metrics {
			columns = append(columns, m.name)
		}
		g := newGrid(works[0].name, "tool", rows, columns)
		s.grids = append(s.grids, g)
		return func(_ workload, m metric) (*grid, string) { return g, m.name }
	}
	for _, w := range works {
		columns = append(columns, w.name)
	}
	byMetric := map[string]*grid{}
	for _, m := range metrics {
		byMetric[m.name] = newGrid(m.name, "tool", rows, columns)
		s.grids = append(s.grids, byMetric[m.name])
	}
	return func(w workload, m metric) (*grid, string) { return byMetric[m.name], w.name }
}

// measureCost runs a tool on a job at nginx and fills in the job's URL: nginx's
// with TLS if there is any, its plain one otherwise.
func (b *bench) measureCost(ctx context.Context, s *section, n *nginx, t tool, j job) (cost, bool) {
	base := n.plain
	if j.url != "" {
		base = n.tls
	}
	j.url = base + "/"
	if j.body != plainBody {
		j.url += fmt.Sprint(j.body)
	}
	if j.duration == 0 {
		j.duration = b.length
	}
	before, err := n.waitIdle(ctx)
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return cost{}, false
	}
	u, r, ok := b.run(ctx, s, t, j)
	if !ok {
		return cost{}, false
	}
	after, err := n.status(ctx)
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return cost{}, false
	}
	// The request for the status, and its connection, do not count.
	c := cost{usage: u, result: r, requests: after.requests - before.requests - 1, elapsed: max(j.duration, r.took), body: j.body}
	if inv, _ := t.command(j); inv.counted {
		c.elapsed = u.wall
	}
	if c.requests < 1 {
		s.note("%s, %s: nginx counted no request", t.name, j)
		return cost{}, false
	}
	s.checkCounts(t, j, c, after.accepted-before.accepted-1)
	return c, true
}

// checkCounts adds notes where the tool's report, nginx's counts and the job
// disagree.
func (s *section) checkCounts(t tool, j job, c cost, accepted int64) {
	// Each connection may have a request in flight at the end, and fortio sends
	// one more at the start.
	if d := c.requests - c.result.done; max(d, -d) > c.requests/50+2*int64(j.connections) {
		s.note("%s, %s: it reports %d requests, nginx counted %d", t.name, j, c.result.done, c.requests)
	}
	switch n := int64(j.connections); {
	case j.fresh && accepted < c.requests*98/100:
		s.note("%s, %s: nginx counted %d connections for %d requests", t.name, j, accepted, c.requests)
	case !j.fresh && j.rate == 0 && (accepted < n || accepted > 2*n):
		s.note("%s, %s: nginx counted %d connections", t.name, j, accepted)
	}
}
