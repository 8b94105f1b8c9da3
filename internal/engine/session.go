package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A session is one measurement: targets that are open, sensors that watch the
// machine meanwhile, and contexts that may end it.
type session struct {
	ctx, cut context.Context
	monitor  *monitor
	arms     []*arm // in the order of the plans
	began    time.Time
	took     time.Duration
	machine  host.Usage // once the load is over
	ended    string     // why it ended before its time, by its own decision; "" if it did not
}

// measure opens the targets of some plans, makes the load, lets describe make
// the document of it, and closes the targets. All text in the document is printable.
func (s *session) measure(plans []*armPlan, load func() error, describe func() (*report.Document, error)) (d *report.Document, err error) {
	defer func() {
		if left := s.close(); left != nil && d != nil {
			d.Generator.Warnings = append(d.Generator.Warnings, verdict.Warning{Code: "abandoned", Text: left.Error()})
		}
		unit.PrintableAll(d) // whoever writes it, and wherever
	}()
	for _, p := range plans {
		a, err := p.open(s.ctx)
		if err != nil {
			return nil, p.named(err)
		}
		s.arms = append(s.arms, a)
	}
	sensors := plans[0].watchMachine()
	s.began = time.Now()
	err = load()
	s.took, s.machine = time.Since(s.began), sensors()
	if err != nil {
		return nil, err
	}
	lost := s.lost() // before the servers are ended
	d, err = describe()
	return d, errors.Join(err, lost)
}

// lost returns an error if a server that was started for the measurement has ended by
// itself.
func (s *session) lost() error {
	for _, a := range s.arms {
		if err := a.lost(); err != nil {
			return a.named(err)
		}
	}
	return nil
}

// named returns an error about p that says which of two arms that is.
func (p *armPlan) named(err error) error {
	if p.role == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p.role, err)
}

// watchMachine starts the sensors; the function it returns stops them.
func (p *armPlan) watchMachine() (stop func() host.Usage) {
	if p.Virtual {
		return func() host.Usage { return host.Usage{} }
	}
	return host.Start(os.DirFS("/")).Stop
}

// close closes the targets. Its error says what went on nevertheless.
func (s *session) close() error {
	var errs []error
	for _, a := range s.arms {
		errs = append(errs, a.close())
	}
	return errors.Join(errs...)
}

// stopped reports whether the measurement was interrupted.
func (s *session) stopped() bool { return s.ctx.Err() != nil || s.cut.Err() != nil }

// document returns the document of an arm whose load is over, and how its limits
// were judged.
func (s *session) document(kind report.Procedure, a *arm, judged []verdict.Finding) (*report.Document, error) {
	r := a.seen
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("the counts of run %s do not add up, which is a defect of load-tester: %w", a.run, err)
	}
	d := report.New(a.facts(kind), r)
	d.Took, d.Stopped = s.took, s.ended
	d.Generator.Warnings = append(d.Generator.Warnings, s.warnings(kind, a)...)
	if d.StartedAt.IsZero() {
		d.StartedAt = s.began
	}
	for _, result := range judged {
		d.Limits = append(d.Limits, report.NewLimitResult(result))
	}
	d.Verdict = verdict.Overall(judged)
	return d, nil
}

// warnings are those about an arm that its record does not tell.
func (s *session) warnings(kind report.Procedure, a *arm) (all []verdict.Warning) {
	if text := a.fewFiles(a.seen); text != "" {
		all = append(all, verdict.Warning{Code: "few_files", Text: text})
	}
	for _, a := range s.arms {
		if a.server != nil && a.server.Refused() > 0 {
			all = append(all, verdict.Warning{
				Code: "strangers",
				Text: unit.Plural(a.server.Refused(), "request") + " of other programs came to the handler's port and did not reach it (status 403)",
			})
		}
	}
	return all
}
