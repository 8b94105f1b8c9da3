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

// peers are the tools that load-tester is compared with.
var peers = []tool{wrk, wrk2, ab, h2load, hey, bombardier, vegeta, fortio, k6, oha}

// product is the module of load-tester. Its checkout contains this module.
const product = "github.com/loadtestkit/load-tester"

// pool is the number of connections in an open workload for tools that want a
// fixed number. load-tester, vegeta and k6 open what they need.
const pool = 100

// A bench holds what all tables are measured with.
type bench struct {
	rounds int
	length time.Duration // of each run of a cost table
	quick  bool

	client, server int    // CPUs; anyCPU if there is only one
	files          uint64 // how many a process may open
	root           string // the checkout of load-tester
	dir            string // for all files; removed at the end
	tools          []tool // ours first, then the peers that were found
	log            io.Writer
}

// prepare builds load-tester and looks for the peers. If it succeeds, the
// caller must remove b.dir.
func (b *bench) prepare(ctx context.Context, named string) (err error) {
	if err := b.chooseCPUs(); err != nil {
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
	// nginx's worker, another user if this one is root, reads bodies from there.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	built := ours
	built.path = filepath.Join(b.dir, ours.name)
	if _, err := runGo(ctx, "-C", b.root, "build", "-o", built.path, "./cmd/load-tester"); err != nil {
		return err
	}
	b.tools = append([]tool{built}, found...)
	return nil
}

// runGo runs the go command without cgo, as the README recommends, and returns
// its output.
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

// chooseCPUs chooses a CPU for the tools and one for the servers: the last and
// the first, which are seldom threads of the same core.
func (b *bench) chooseCPUs() error {
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
			return fmt.Errorf("CPU %d is not allowed, want one of %v", cpu, cpus)
		}
	}
	return nil
}

// findPeers returns the installed peers. If named is not empty, it returns those
// in the list, all of which must be installed.
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
			return nil, fmt.Errorf("-tools: %s is neither on PATH nor in %s; to get it: %s", t.name, bin, t.get)
		}
	}
	if want = slices.DeleteFunc(want, func(s string) bool { return s == "" || s == ours.name }); len(want) > 0 {
		return nil, fmt.Errorf("-tools: no peer %q", want)
	}
	return found, nil
}

// names returns the names of the tools, ours first.
func (b *bench) names() []string {
	var names []string
	for _, t := range b.tools {
		names = append(names, t.name)
	}
	return names
}

// canOpen reports whether a process may open n connections.
func (b *bench) canOpen(n int) bool { return uint64(n)+100 <= b.files }

// order returns the tools in the order of a round. Each round begins with the
// next one.
func (b *bench) order(round int) []tool {
	k := round % len(b.tools)
	return append(slices.Clone(b.tools[k:]), b.tools[:k]...)
}

// run runs a tool on a job. It adds the command and any trouble to the section.
// ok is false if there are no figures.
func (b *bench) run(ctx context.Context, s *section, t tool, j job) (u usage, r result, ok bool) {
	inv, ok := t.command(j)
	if !ok {
		return u, r, false
	}
	s.addCommand(t.name, inv)
	u, out, err := b.runCommand(ctx, t, j, inv)
	if err == nil {
		r, err = t.parse(out)
	}
	if err != nil {
		s.note("%s, %s: %v", t.name, j, err)
		return u, r, false
	}
	if r.failed > 0 {
		s.note("%s, %s: it reports %d failed requests and %d completed ones", t.name, j, r.failed, r.done)
	}
	return u, r, true
}

// overtime is how much longer than its job a tool may take. The longest freeze is
// 5 s, and k6 takes some seconds to start.
const overtime = 30 * time.Second

// runCommand runs an invocation. It returns what the tool used, and its output
// in the form that t.parse reads.
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
	var stderr bytes.Buffer
	cmd := newCommand(ctx, t.path, inv.args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = b.dir, strings.NewReader(inv.stdin), file, &stderr
	if inv.stdin == "" {
		cmd.Stdin = nil
	}
	u, err := measure(cmd, b.client, j.interrupt)
	if ctx.Err() != nil {
		return u, nil, context.Cause(ctx)
	}
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			err = fmt.Errorf("%w: %s", err, line)
		}
		return u, nil, err
	}
	out, err := t.readOutput(ctx, path)
	return u, out, err
}

// readOutput returns what the tool wrote to a file, converted if need be.
func (t tool) readOutput(ctx context.Context, path string) ([]byte, error) {
	if len(t.convert) == 0 {
		return os.ReadFile(path)
	}
	var all []byte
	for _, args := range t.convert {
		in, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		cmd := newCommand(ctx, t.path, args...)
		cmd.Stdin = in
		out, err := cmd.Output()
		in.Close()
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", t.name, strings.Join(args, " "), err)
		}
		all = append(all, out...)
	}
	return all, nil
}

// logf writes a line of progress.
func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(b.log, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
