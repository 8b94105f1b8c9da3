package host

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// cgroup is where a CPU quota on this process shows: the cpu.stat file of its
// own cgroup and of those above it as far as they can be seen, since a quota on
// any of them stops it. A container sees no further than its own mount.
type cgroup struct {
	files []string
	err   error // why files is empty
}

// findCgroup goes by /proc/self/cgroup and /proc/self/mountinfo (cgroups(7)),
// and where they lead to no file by the usual places of version 1 and 2.
func findCgroup(fsys fs.FS) cgroup {
	c := existing(fsys, ownCgroups(fsys))
	for _, dir := range []string{"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup"} {
		if len(c.files) == 0 {
			c = existing(fsys, []string{dir})
		}
	}
	return c
}

// existing keeps the cpu.stat files of dirs that can be read.
func existing(fsys fs.FS, dirs []string) (c cgroup) {
	for _, dir := range dirs {
		file := path.Join(dir, "cpu.stat")
		if _, err := fs.ReadFile(fsys, file); err != nil {
			c.err = err
			continue
		}
		c.files = append(c.files, file)
	}
	return c
}

// ownCgroups returns the directories of the cgroup that may limit this
// process, its own first, up to the mount point; none if they are not to be
// found. Version 1 wins where both are in use: then it has the cpu controller.
func ownCgroups(fsys fs.FS) []string {
	own, err := fs.ReadFile(fsys, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := fs.ReadFile(fsys, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	name, v1, ok := parseCgroup(own)
	if !ok {
		return nil
	}
	for line := range bytes.Lines(mounts) {
		m, ok := parseMount(string(line))
		if !ok || m.v1 != v1 {
			continue
		}
		dir := path.Join(m.point, below(m.root, name))
		dirs := []string{dir}
		for dir != m.point {
			dir = path.Dir(dir)
			dirs = append(dirs, dir)
		}
		return dirs
	}
	return nil
}

// parseCgroup finds the name of the cgroup of the cpu controller in
// /proc/self/cgroup, whose lines are id:controllers:name; version 2 has id 0
// and no controllers.
func parseCgroup(b []byte) (name string, v1, ok bool) {
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(f) != 3:
		case slices.Contains(strings.Split(f[1], ","), "cpu"):
			return f[2], true, true
		case f[0] == "0" && f[1] == "":
			name, ok = f[2], true
		}
	}
	return name, false, ok
}

// mount is a mounted hierarchy of cgroups that has the cpu controller.
type mount struct {
	root  string // the cgroup that is seen at point
	point string // without the slash in front, as fs.FS wants it
	v1    bool
}

// parseMount reads a line of /proc/self/mountinfo (proc_pid_mountinfo(5)):
// id parent device root point options [tags...] - type source superoptions.
func parseMount(line string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	f, g := strings.Fields(before), strings.Fields(after)
	if len(f) < 6 || len(g) < 3 {
		return mount{}, false
	}
	switch g[0] {
	case "cgroup":
		m.v1 = true
		if !slices.Contains(strings.Split(g[2], ","), "cpu") {
			return mount{}, false
		}
	case "cgroup2":
	default:
		return mount{}, false
	}
	m.root = unescape(f[3])
	m.point = path.Clean(strings.TrimPrefix(unescape(f[4]), "/"))
	return m, fs.ValidPath(m.point)
}

// below returns the path of the cgroup name below root, "" if it is not there:
// the name may be one that only the host can see, or lead out by "..".
func below(root, name string) string {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(root, "/"))
	if !ok || !strings.HasPrefix(rest, "/") || slices.Contains(strings.Split(rest, "/"), "..") {
		return ""
	}
	return rest
}

// unescape undoes the \ooo of mountinfo, which stands for blanks and the like.
func unescape(s string) string {
	for i := 0; ; i++ {
		j := strings.IndexByte(s[i:], '\\')
		if j < 0 {
			return s
		}
		i += j
		if len(s) < i+4 {
			return s
		}
		if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
			s = s[:i] + string([]byte{byte(n)}) + s[i+4:]
		}
	}
}
