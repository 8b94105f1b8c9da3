package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

// targetCommand, as the first argument, makes this program a target.
const targetCommand = "target"

// An arrivalLog is what a target recorded during one run.
type arrivalLog struct {
	Start    time.Time       // the origin of Arrivals, on the wall clock
	Count    int64           // of all requests
	Arrivals []time.Duration // of the first requests, in ascending order
}

// serveTarget runs this program as a target. It writes its URL to out, serves
// until in ends, and writes an [arrivalLog] as JSON.
func serveTarget(args []string, in io.Reader, out io.Writer) error {
	var opts target.RawOptions
	flags := flag.NewFlagSet(targetCommand, flag.ContinueOnError)
	addr := flags.String("listen", "127.0.0.1:0", "address")
	flags.IntVar(&opts.Log, "log", 0, "how many arrivals to log")
	flags.Func("latency", "how long each request takes", func(s string) (err error) {
		opts.Timing.Latency, err = target.ParseLatency(s)
		return err
	})
	flags.Func("freeze", "when the server freezes", func(s string) error {
		f, err := target.ParseFreeze(s)
		opts.Timing.Freezes = append(opts.Timing.Freezes, f)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	raw, err := target.ListenRaw(*addr, opts)
	if err != nil {
		return err
	}
	defer raw.Close()
	if _, err := fmt.Fprintln(out, raw.URL); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	log := arrivalLog{Start: raw.Start, Count: raw.Seen()}
	for _, a := range raw.Arrivals() {
		log.Arrivals = append(log.Arrivals, a.At)
	}
	slices.Sort(log.Arrivals)
	return json.NewEncoder(out).Encode(log)
}

// A rawTarget is this program running as a target in another process.
type rawTarget struct {
	url string
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// startTarget starts a target on the server's CPU. The caller must finish it.
func (b *bench) startTarget(ctx context.Context, timing target.Timing, maxLog int) (*rawTarget, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	args := []string{targetCommand, "-listen", fmt.Sprintf("127.0.0.1:%d", ports[0]), "-log", fmt.Sprint(maxLog), "-latency", timing.Latency.String()}
	for _, f := range timing.Freezes {
		args = append(args, "-freeze", f.String())
	}
	t := &rawTarget{cmd: newCommand(ctx, self, args...)}
	t.cmd.Stderr = b.log
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.out = bufio.NewReader(out)
	if err := startOn(b.server, t.cmd); err != nil {
		return nil, err
	}
	url, err := t.out.ReadString('\n')
	if err != nil {
		_ = t.cmd.Cancel()
		_ = t.cmd.Wait()
		return nil, fmt.Errorf("starting a target: %w", err)
	}
	t.url = strings.TrimSpace(url)
	return t, nil
}

// finish ends the target and returns its log.
func (t *rawTarget) finish() (arrivalLog, error) {
	var log arrivalLog
	t.in.Close()
	err := json.NewDecoder(t.out).Decode(&log)
	if waitErr := t.cmd.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return log, fmt.Errorf("reading the log of a target: %w", err)
	}
	return log, nil
}

// runOnTarget runs a tool on a job at a new target, whose URL it fills in. The
// target logs the first maxLog arrivals.
func (b *bench) runOnTarget(ctx context.Context, s *section, t tool, j job, timing target.Timing, maxLog int) (usage, result, arrivalLog, bool) {
	if _, ok := t.command(j); !ok {
		return usage{}, result{}, arrivalLog{}, false
	}
	raw, err := b.startTarget(ctx, timing, maxLog)
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return usage{}, result{}, arrivalLog{}, false
	}
	j.url = raw.url + "/"
	u, r, ok := b.run(ctx, s, t, j)
	log, err := raw.finish()
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
	}
	return u, r, log, ok && err == nil
}
