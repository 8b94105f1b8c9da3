package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// peers are what load-tester is compared with.
var peers = []tool{wrk, wrk2, ab, h2load, hey, bombardier, vegeta, fortio, k6, oha}

// product is the module of load-tester, whose checkout contains this one.
const product = "github.com/loadtestkit/load-tester"

// A bench is what all tables are measured with.
type bench struct {
	rounds int
	length time.Duration // of each run of a cost table
	quick  bool

	client, server int // CPUs, anyCPU where there is only one
	files          uint64
	root           string // the checkout of load-tester
	dir            string // for all that is written; removed at the end
	tools          []tool // ours first, then the peers that were found
	log            io.Writer
}

// prepare builds load-tester and looks for the peers. Without an error the
// caller removes b.dir.
func (b *bench) prepare(ctx context.Context, named string) (err error) {
	if err := b.placeCPUs(); err != nil {
		return err
	}
	if b.files, err = raiseFiles(); err != nil {
		return err
	}
	if b.root, err = runGo(ctx, "list", "-m", "-f", "{{.Dir}}", product); err != nil {
		return err
	}
	gopath, err := runGo(ctx, "env", "GOPATH")
	if err != nil {
		return err
	}
	bin := filepath.Join(gopath, "bin")
	found, err := findPeers(named, bin)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "peers"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(b.dir)
		}
	}()
	// nginx gives up its rights, and reads bodies from there.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	us := ours
	us.path = filepath.Join(b.dir, ours.name)
	if _, err := runGo(ctx, "-C", b.root, "build", "-o", us.path, "./cmd/load-tester"); err != nil {
		return err
	}
	b.tools = append([]tool{us}, found...)
	return nil
}

// runGo runs the go command, without cgo as the README does, and returns what
// it prints.
func runGo(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// placeCPUs chooses a CPU for the tools and one for the servers: the last and
// the first, which are seldom threads of the same core.
func (b *bench) placeCPUs() error {
	cpus, err := allowedCPUs()
	if err != nil {
		return err
	}
	if len(cpus) < 2 && b.client < 0 && b.server < 0 {
		b.client, b.server = anyCPU, anyCPU
		return nil
	}
	if b.client < 0 {
		b.client = cpus[len(cpus)-1]
	}
	if b.server < 0 {
		b.server = cpus[0]
	}
	for _, cpu := range []int{b.client, b.server} {
		if !slices.Contains(cpus, cpu) {
			return fmt.Errorf("CPU %d may not be used, only %v", cpu, cpus)
		}
	}
	return nil
}

// findPeers returns the peers that are installed; all those in named must be,
// if it is not empty.
func findPeers(named, bin string) ([]tool, error) {
	want := strings.Split(named, ",")
	var found []tool
	for _, t := range peers {
		if named != "" && !slices.Contains(want, t.name) {
			continue
		}
		want = slices.DeleteFunc(want, func(s string) bool { return s == t.name })
		path, err := exec.LookPath(t.name)
		if err != nil {
			path, err = exec.LookPath(filepath.Join(bin, t.name))
		}
		if err == nil {
			t.path = path
			found = append(found, t)
		} else if named != "" {
			return nil, fmt.Errorf("-tools: %s is not on PATH nor in %s, get it by: %s", t.name, bin, t.get)
		}
	}
	if want = slices.DeleteFunc(want, func(s string) bool { return s == "" || s == ours.name }); len(want) > 0 {
		return nil, fmt.Errorf("-tools: no peer %q", want)
	}
	return found, nil
}

// round returns the tools in the order of a round: each round starts with
// another one, so that none always follows the same.
func (b *bench) round(n int) []tool {
	k := n % len(b.tools)
	return append(slices.Clone(b.tools[k:]), b.tools[:k]...)
}

// run has a tool do a job. The section notes the command and what went wrong.
// ok is false when there is nothing to show of this run.
func (b *bench) run(ctx context.Context, s *section, t tool, j job) (u usage, r result, ok bool) {
	inv, ok := t.command(j)
	if !ok {
		return u, r, false
	}
	s.command(t.name, inv)
	u, out, err := b.runCommand(ctx, t, j, inv)
	if err == nil {
		r, err = t.parse(out)
	}
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return u, r, false
	}
	if r.failed > 0 {
		s.note("%s, %s: it reports %d failed requests beside %d", t.name, j, r.failed, r.done)
	}
	return u, r, true
}

// overtime is how much longer than its job a tool may take; chosen: the longest
// freeze, and as much again for k6 to start.
const overtime = 30 * time.Second

// runCommand returns what the tool used, and its output as parse reads it.
func (b *bench) runCommand(ctx context.Context, t tool, j job, inv invocation) (usage, []byte, error) {
	limit := j.duration + overtime
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("stopped after %v", limit))
	defer cancel()
	path := filepath.Join(b.dir, "output")
	file, err := os.Create(path)
	if err != nil {
		return usage{}, nil, err
	}
	defer file.Close()
	var complaints bytes.Buffer
	cmd := newCommand(ctx, t.path, inv.args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = b.dir, strings.NewReader(inv.stdin), file, &complaints
	if inv.stdin == "" {
		cmd.Stdin = nil
	}
	u, err := measure(cmd, b.client, j.interrupt)
	if ctx.Err() != nil {
		return u, nil, context.Cause(ctx)
	}
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(complaints.String()), "\n"); line != "" {
			err = fmt.Errorf("%w: %s", err, line)
		}
		return u, nil, err
	}
	if len(t.convert) == 0 {
		out, err := os.ReadFile(path)
		return u, out, err
	}
	var all []byte
	for _, args := range t.convert {
		in, err := os.Open(path)
		if err != nil {
			return u, nil, err
		}
		cmd := newCommand(ctx, t.path, args...)
		cmd.Stdin = in
		out, err := cmd.Output()
		in.Close()
		if err != nil {
			return u, nil, fmt.Errorf("%s %s: %w", t.name, strings.Join(args, " "), err)
		}
		all = append(all, out...)
	}
	return u, all, nil
}

// logf writes a line of progress.
func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(b.log, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// String says what a job is, for progress and notes.
func (j job) String() string {
	var parts []string
	if j.rate > 0 {
		parts = append(parts, fmt.Sprintf("%d/s", j.rate))
	} else {
		parts = append(parts, fmt.Sprintf("%d connections", j.connections))
	}
	if j.body > plainBody {
		parts = append(parts, size(j.body)+" bodies")
	}
	if j.fresh {
		parts = append(parts, "not kept")
	}
	if j.requests > 0 {
		parts = append(parts, fmt.Sprintf("%d requests", j.requests))
	}
	return strings.Join(parts, ", ")
}

// size writes a number of octets in its greatest whole unit.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
