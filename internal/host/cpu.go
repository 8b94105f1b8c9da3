package host

import (
	"io/fs"
	"strings"
)

// CPU returns the name of the first processor and whether it is a virtual
// machine's, from /proc/cpuinfo (proc_cpuinfo(5)); "" and false where the system
// does not tell. ARM processors have numbers for a name, and do not tell
// whether they are virtual.
func CPU(fsys fs.FS) (name string, virtual bool) {
	info, _ := fs.ReadFile(fsys, "proc/cpuinfo")
	first, _, _ := strings.Cut(string(info), "\n\n")
	var numbers []string
	for line := range strings.Lines(first) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "model name":
			name = value
		case "CPU implementer", "CPU variant", "CPU part":
			numbers = append(numbers, value)
		case "flags":
			virtual = strings.Contains(" "+value+" ", " hypervisor ")
		}
	}
	if name == "" {
		name = strings.Join(numbers, " ")
	}
	return name, virtual
}
