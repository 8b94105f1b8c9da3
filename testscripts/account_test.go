//go:build unix

package testscripts

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// counts is the part of a JSON report that is compared with what targets saw.
type counts struct {
	Requests struct {
		Due, Sent, Succeeded, Failed, Unsent, Unfinished int64
	}
	Warmup *struct {
		Sent, Succeeded, Failed int64
	}
	Errors []struct {
		Kind  string
		Count int64
	}
}

// unconnected are the error kinds of requests that never had a connection, so that no
// target can have seen them.
var unconnected = map[string]bool{
	"resolve": true, "connect_refused": true, "connect_timeout": true,
	"connect": true, "no_fds": true, "no_ports": true, "tls": true,
}

// sentIn returns how many requests were sent over a connection according to a report.
func sentIn(report string) (n int64, err error) {
	if !strings.HasPrefix(report, "{") {
		return sentInText(report)
	}
	var c counts
	if err := json.Unmarshal([]byte(report), &c); err != nil {
		return 0, err
	}
	r := c.Requests
	if r.Due != r.Sent+r.Unsent || r.Sent != r.Succeeded+r.Failed+r.Unfinished {
		return 0, fmt.Errorf("the counts do not add up: %+v", r)
	}
	n = r.Sent
	if c.Warmup != nil {
		n += c.Warmup.Sent
	}
	for _, e := range c.Errors {
		if unconnected[e.Kind] {
			n -= e.Count
		}
	}
	return n, nil
}

// sentInText does the same for a report in text.
func sentInText(report string) (int64, error) {
	find := func(pattern string) int64 {
		m := regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(report)
		if m == nil {
			return 0
		}
		n, _ := strconv.ParseInt(m[1], 10, 64) // the pattern has digits only
		return n
	}
	due := find(`^  Total: +(\d+) requests?$`)
	sent := due - find(`^  Unsent: +(\d+)$`)
	if got := find(`^  Succeeded: +(\d+)$`) + find(`^  Failed: +(\d+)$`) + find(`^  Unfinished: +(\d+)$`); got != sent {
		return 0, fmt.Errorf("the counts do not add up: %d sent, %d succeeded, failed or unfinished", sent, got)
	}
	if strings.HasPrefix(report, "Interrupted ") {
		if headed := find(`^Interrupted after .*?: (\d+)`); headed != sent {
			return 0, fmt.Errorf("the first line says %d requests, %d were sent", headed, sent)
		}
	}
	sent += find(`^  Warm-up: +(\d+) requests? not counted`)
	for kind := range unconnected {
		sent -= find(`^  ` + kind + `: (\d+)`)
	}
	return sent, nil
}

var failedLine = regexp.MustCompile(`(?m)^.*\bid=([0-9a-f]+-[0-9]+)\b.*$`)

// account compares the ids that targets saw with a run's JSON report and its log of
// failed requests: see cmdAccounted. lost is how many arrivals a target may have failed
// to record.
func account(arrived []string, report, log string, lost int64) error {
	var c counts
	if err := json.Unmarshal([]byte(report), &c); err != nil {
		return err
	}
	if _, err := sentIn(report); err != nil {
		return err
	}
	succeeded, failed := c.Requests.Succeeded, c.Requests.Failed
	if c.Warmup != nil {
		succeeded += c.Warmup.Succeeded
		failed += c.Warmup.Failed
	}
	failures := make(map[string]bool)
	for _, m := range failedLine.FindAllStringSubmatch(log, -1) {
		if failures[m[1]] {
			return fmt.Errorf("request %s failed twice", m[1])
		}
		failures[m[1]] = true
	}
	if int64(len(failures)) != failed {
		return fmt.Errorf("%d failed requests are logged, %d counted", len(failures), failed)
	}
	seen := make(map[string]bool)
	var answered int64
	for _, id := range arrived {
		switch {
		case id == "":
			return fmt.Errorf("a request arrived without an id")
		case seen[id]:
			return fmt.Errorf("request %s arrived twice", id)
		case !failures[id]:
			answered++
		}
		seen[id] = true
	}
	if most := succeeded + c.Requests.Unfinished; answered < succeeded-lost || answered > most {
		return fmt.Errorf("%d requests arrived and did not fail, %d succeeded and %d were unfinished", answered, succeeded, c.Requests.Unfinished)
	}
	return nil
}

var statusLine = regexp.MustCompile(`\bid=[0-9a-f]+-([0-9]+)\b.*\bstatus=([0-9]+)`)

// attributed LOG checks that each failed request was given its own response, of a
// target that answers request n with status 400 + n%100.
func cmdAttributed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: attributed LOG")
	}
	lines := statusLine.FindAllStringSubmatch(ts.ReadFile(args[0]), -1)
	if len(lines) == 0 {
		ts.Fatalf("no request is logged")
	}
	for _, m := range lines {
		n, _ := strconv.Atoi(m[1]) // digits
		if want := strconv.Itoa(400 + n%100); m[2] != want {
			ts.Fatalf("request %d was given status %s, want %s", n, m[2], want)
		}
	}
}
