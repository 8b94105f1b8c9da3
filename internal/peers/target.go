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

// targetCommand is the first argument that makes this program a target.
const targetCommand = "target"

// A seen is what a target saw of one run.
type seen struct {
	Start    time.Time       // what arrivals are counted from, by the system's clock
	Count    int64           // of requests
	Arrivals []time.Duration // of the first ones, in order of time
}

// serveTarget is this program as a target: it writes its address to out,
// serves until in ends, and writes what it saw.
func serveTarget(args []string, in io.Reader, out io.Writer) error {
	var opts target.RawOptions
	flags := flag.NewFlagSet(targetCommand, flag.ContinueOnError)
	addr := flags.String("listen", "127.0.0.1:0", "the address")
	flags.IntVar(&opts.Log, "log", 0, "how many arrivals to log")
	flags.Func("latency", "what each request takes", func(s string) (err error) {
		opts.Timing.Latency, err = target.ParseLatency(s)
		return err
	})
	flags.Func("freeze", "when nothing happens", func(s string) error {
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
	s := seen{Start: raw.Start, Count: raw.Seen()}
	for _, a := range raw.Arrivals() {
		s.Arrivals = append(s.Arrivals, a.At)
	}
	slices.Sort(s.Arrivals)
	return json.NewEncoder(out).Encode(s)
}

// A rawTarget is this program as a target, in another process.
type rawTarget struct {
	url string
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// startTarget starts a target on the server's CPU. The caller must finish it.
func (b *bench) startTarget(ctx context.Context, timing target.Timing, log int) (*rawTarget, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	args := []string{targetCommand, "-listen", fmt.Sprintf("127.0.0.1:%d", ports[0]), "-log", fmt.Sprint(log), "-latency", timing.Latency.String()}
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

// finish ends the target.
func (t *rawTarget) finish() (seen, error) {
	var s seen
	t.in.Close()
	err := json.NewDecoder(t.out).Decode(&s)
	if waitErr := t.cmd.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return s, fmt.Errorf("asking a target what it saw: %w", err)
	}
	return s, nil
}

// aim has a tool do a job on a target of its own, whose URL it fills in.
func (b *bench) aim(ctx context.Context, s *section, t tool, j job, timing target.Timing, log int) (usage, result, seen, bool) {
	if _, able := t.command(j); !able {
		return usage{}, result{}, seen{}, false
	}
	raw, err := b.startTarget(ctx, timing, log)
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return usage{}, result{}, seen{}, false
	}
	j.url = raw.url + "/"
	u, r, ok := b.run(ctx, s, t, j)
	saw, err := raw.finish()
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
	}
	return u, r, saw, ok && err == nil
}
