package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describe writes the head of the output: date, machine, settings and versions.
func (b *bench) describe(ctx context.Context, w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "# load-tester and its peers, %s\n\n", time.Now().Format("2006-01-02 15:04 MST"))
	cpus, err := allowedCPUs()
	if err != nil {
		return err
	}
	fmt.Fprintf(&s, "- Machine: %s, %d CPUs, %s; %s\n", cpuModel(), len(cpus), kernel(), runtime.Version())
	if b.client == anyCPU {
		s.WriteString("- Tools and servers share the only CPU: nothing is pinned\n")
	} else {
		fmt.Fprintf(&s, "- Tools on CPU %d, servers on CPU %d, pinned by sched_setaffinity\n", b.client, b.server)
	}
	fmt.Fprintf(&s, "- Load average at the start: %s (1, 5, 15 minutes); at most %d open files\n", loadAverage(), b.files)
	if b.quick {
		s.WriteString("- A smoke test: the figures mean nothing\n")
	}
	fmt.Fprintf(&s, "- Figures are medians of %d rounds, with the smallest and the largest in parentheses; in each round the tools run in turn, one at a time\n", b.rounds)
	s.WriteString("- `-`: the tool cannot do that, or its summary does not report it\n")
	if err := b.describeTools(ctx, &s); err != nil {
		return err
	}
	_, err = io.WriteString(w, s.String()+"\n")
	return err
}

// describeTools writes the version of each tool and of nginx.
func (b *bench) describeTools(ctx context.Context, s *strings.Builder) error {
	s.WriteString("- Versions: ")
	for i, t := range b.tools {
		if i > 0 {
			s.WriteString("; ")
		}
		v, err := b.version(ctx, t)
		if err != nil {
			return fmt.Errorf("asking %s for its version: %w", t.name, err)
		}
		s.WriteString(t.name + " " + v)
	}
	if path, err := findNginx(); err == nil {
		if v, err := versionLine(ctx, path, "-v"); err == nil {
			s.WriteString("; nginx " + v)
		}
	}
	s.WriteString("\n")
	return nil
}

// version returns the version that a tool prints or that its binary contains.
// For load-tester it is the commit, and whether the tree is dirty.
func (b *bench) version(ctx context.Context, t tool) (string, error) {
	if t.name == ours.name {
		return versionLine(ctx, "git", "-C", b.root, "describe", "--always", "--dirty")
	}
	if t.version != nil {
		return versionLine(ctx, t.path, t.version...)
	}
	info, err := buildinfo.ReadFile(t.path)
	if err != nil { // built without Go's version information
		return versionLine(ctx, t.path, "--version")
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "unknown"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v = s.Value
			}
		}
	}
	return v + " (" + info.GoVersion + ")", nil
}

// versionLine returns the version in the first line that a program prints. It
// ignores the exit status, because several programs fail after printing it.
func versionLine(ctx context.Context, path string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if len(out) == 0 {
		return "", fmt.Errorf("it prints nothing: %w", err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	for _, other := range []string{"This is ", "nginx version: ", " Copyright (C) 2012 Will Glozer", "Version ", " <$Revision$>", " <$Revision: 1903618 $>"} {
		line = strings.ReplaceAll(line, other, "")
	}
	v := strings.TrimSpace(line)
	if _, rest, ok := strings.Cut(v, " "); ok { // its name
		v = rest
	}
	if _, rest, ok := strings.Cut(v, "/"); ok && !strings.Contains(v, " ") { // nginx/1.22
		v = rest
	}
	return v, nil
}

// cpuModel returns the name of the first CPU.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// loadAverage returns the averages over 1, 5 and 15 minutes.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
