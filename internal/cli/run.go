package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// run makes a load and its report and returns the exit status. An error is
// about the flags: nothing was sent.
func (s *session) run(set *settings, o engine.Options) (status int, err error) {
	m := newMeter(o)
	return s.do(set, m, func(log *slog.Logger) (measure, error) {
		o.Log = log
		plan, err := engine.NewPlan(o)
		if err != nil {
			return nil, planFaults(err, flagOf)
		}
		return func(ctx, cut context.Context, watch engine.Watch) (result, error) {
			r, err := plan.Run(ctx, cut, watch)
			return &runResult{r, m.duration}, err
		}, nil
	})
}

// A runResult is the report of one run.
type runResult struct {
	*report.Report
	duration time.Duration // planned; 0 without a bound
}

// hdrLog is the format of --hdr-log, which --format does not have.
const hdrLog = "hdr-log"

func (r *runResult) render(format string, style report.Style) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch format {
	case "json":
		err = report.WriteJSON(&b, r.Report)
	case "bench":
		err = report.WriteBench(&b, r.Report)
	case "hgrm":
		err = hist.WriteHgrm(&b, r.ResponseHist)
	case hdrLog:
		err = hist.WriteHDRLog(&b, r.StartedAt, "", r.Series)
	default:
		err = report.WriteText(&b, r.Report, style)
	}
	return b.Bytes(), err
}

func (r *runResult) extent() string {
	v := view{
		done: r.Requests.Succeeded + r.Requests.Failed, total: r.Config.Requests,
		elapsed: r.Elapsed, duration: r.duration,
	}
	return v.extent()
}

func (r *runResult) interrupted() bool { return r.Interrupted }

func (r *runResult) status() int {
	if r.Requests.Succeeded == 0 {
		return statusNotMeasured
	}
	return statusOf(r.Verdict, statusDone)
}

func (r *runResult) complaints(seen bool) (lines []string) {
	if r.Requests.Succeeded == 0 && !r.Interrupted {
		lines = append(lines, "no request succeeded: there is nothing to judge")
	}
	if !seen {
		lines = append(lines, reasons(r.Limits)...)
	}
	return lines
}

// statusOf is what a verdict means for the exit status.
func statusOf(v verdict.Verdict, notJudged int) int {
	switch v {
	case verdict.Pass:
		return statusDone
	case verdict.Fail:
		return statusMissed
	case verdict.Inconclusive:
		return statusNotMeasured
	}
	return notJudged
}

// reasons says why limits leave a status that is not 0.
func reasons(limits []report.LimitResult) (lines []string) {
	for _, l := range limits {
		switch l.Verdict {
		case verdict.Fail:
			lines = append(lines, l.Reason)
		case verdict.Inconclusive:
			lines = append(lines, fmt.Sprintf("cannot judge: %s", l.Reason))
		}
	}
	return lines
}
