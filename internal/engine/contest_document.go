package engine

import (
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// describe makes the document of what was done.
func (c *contest) describe() (*report.Document, error) {
	var docs [2]*report.Document
	for i, t := range c.to {
		a := t.arm
		var err error
		if docs[i], err = c.document(report.Comparison, a, a.judge(a.complete(c.machine), a.standard())); err != nil {
			return nil, err
		}
		if n := t.allocs; n != nil {
			docs[i].AllocsPerRequest, docs[i].BytesPerRequest = &n.objects, &n.bytes
		}
	}
	base, d := docs[0], docs[1]
	d.Base = &base.Arm
	d.StartedAt, d.Interrupted = c.began, c.stopped()
	d.Config.Duration = 0
	d.Generator.CPUPerRequest = nil // the other's requests took theirs too
	d.Pairs = &report.Pairs{
		Rounds: c.rounds, Alone: c.perStratum, AtOnce: c.perVolley,
		Judged: c.pairs, Block: c.block, Guard: c.guard, Seed: c.order, Renewed: c.anew(),
	}
	for _, f := range c.inquiry.Findings() {
		d.Claims = append(d.Claims, report.NewClaim(f, c.head.Waive))
	}
	for _, f := range c.unmeasured {
		d.Claims = append(d.Claims, report.NewClaim(f, c.head.Waive))
	}
	for _, r := range c.inquiry.Ratios() {
		d.Ratios = append(d.Ratios, report.NewRatio(r, c.head.Waive))
	}
	c.refuse(d)
	for i := range d.Limits {
		l := &d.Limits[i]
		l.Summary, l.Reason = "head: "+l.Summary, "head: "+l.Reason
	}
	for _, l := range base.Limits {
		if l.Verdict == verdict.Fail {
			// What base is compared with has to be right.
			l.Limit, l.Verdict = "base: "+l.Limit, verdict.Inconclusive
			l.Summary, l.Reason = "base: "+l.Summary, "base: "+l.Reason
			d.Limits = append(d.Limits, l)
		}
	}
	d.Verdict = report.Overall(d.Judged())
	if d.Stopped != "" && d.Verdict == verdict.NotJudged {
		d.Verdict = verdict.Inconclusive
	}
	return d, nil
}

// refuse makes what was found inconclusive where the two cannot be compared.
func (c *contest) refuse(d *report.Document) {
	differ := verdict.MixesDiffer(c.to[0].seen, c.to[1].seen)
	for i := range d.Claims {
		claim := &d.Claims[i]
		if differ != "" && !claim.Exact {
			claim.Refuse(differ)
		} else if claim.Claim == verdict.Work && c.unclocked == nil {
			c.refuseWork(claim)
		}
	}
	for i := range d.Ratios {
		if differ != "" {
			d.Ratios[i].Refuse(differ)
		}
	}
}

// refuseWork makes a claim on processor time inconclusive if what was read was not
// that of all that served.
func (c *contest) refuseWork(work *report.ClaimResult) {
	for _, t := range c.to {
		if err := t.meter.check(); err != nil {
			work.Refuse(t.role + ": " + err.Error())
		}
	}
}
