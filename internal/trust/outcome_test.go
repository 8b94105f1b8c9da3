package trust

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// An outcome is what came of one trial: a line of the file.
type outcome struct {
	Case    string    `json:"case"`
	Build   string    `json:"build"`
	At      time.Time `json:"at"`
	Verdict string    `json:"verdict"`
	Seconds float64   `json:"seconds"`
	Foreign float64   `json:"foreign"`          // part of the processors' time that other processes used; 0 if it is not known
	Limit   float64   `json:"limit"`            // five times the quiet p99 of its part, in seconds
	Reason  string    `json:"reason,omitempty"` // what failed the test or made it skip
	Log     string    `json:"log"`
}

// appendTo adds o to a file.
func (o outcome) appendTo(file string) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// readOutcomes reads a file; one that does not exist has none.
func readOutcomes(file string) (all []outcome, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := json.NewDecoder(bufio.NewReader(f))
	for lines.More() {
		var o outcome
		if err := lines.Decode(&o); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// of selects the outcomes of a build's trials of one case.
func of(all []outcome, build, name string) (some []outcome) {
	for _, o := range all {
		if o.Build == build && o.Case == name {
			some = append(some, o)
		}
	}
	return some
}

// A summary is what came of some trials.
type summary struct {
	runs           int
	count          map[string]int // by verdict
	median, ninety float64        // seconds
}

func summarize(some []outcome) summary {
	s := summary{runs: len(some), count: map[string]int{}}
	if s.runs == 0 {
		return s
	}
	var seconds []float64
	for _, o := range some {
		s.count[o.Verdict]++
		seconds = append(seconds, o.Seconds)
	}
	slices.Sort(seconds)
	s.median, s.ninety = rank(seconds, 0.5), rank(seconds, 0.9)
	return s
}

// rank is the quantile q of sorted numbers by nearest rank.
func rank(sorted []float64, q float64) float64 {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// table shows all outcomes, a row for each case and two columns for each build, in
// Markdown.
func table(all []outcome) string {
	var builds []string
	for _, o := range all {
		if !slices.Contains(builds, o.Build) {
			builds = append(builds, o.Build)
		}
	}
	slices.Sort(builds)
	var b strings.Builder
	b.WriteString("| | wanted |")
	for _, build := range builds {
		fmt.Fprintf(&b, " %s: pass / inconclusive / fail | seconds, 9 of 10 within |", build)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("--:|--:|", len(builds)) + "\n")
	for _, c := range cases() {
		fmt.Fprintf(&b, "| %s | %s |", c.name, c.want)
		for _, build := range builds {
			s := summarize(of(all, build, c.name))
			fmt.Fprintf(&b, " %d / %d / %d |", s.count[passed], s.count[inconclusive], s.count[failed])
			fmt.Fprintf(&b, " %.1f, %.1f |", s.median, s.ninety)
		}
		b.WriteString("\n")
	}
	return b.String() + foreignLoad(all, builds)
}

// foreignLoad says what other processes used meanwhile.
func foreignLoad(all []outcome, builds []string) string {
	var b strings.Builder
	for _, build := range builds {
		var shares []float64
		for _, o := range all {
			if o.Build == build {
				shares = append(shares, 100*o.Foreign)
			}
		}
		slices.Sort(shares)
		fmt.Fprintf(&b, "\n%s: %d trials; other processes used %.0f %% of the processors' time in the median, %.0f %% in one of ten.", build, len(shares), rank(shares, 0.5), rank(shares, 0.9))
	}
	return b.String()
}
