package host

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// serversMost is how many processes a server may have. Reading the clocks of more
// would take as long as a request, and a program with that many listens for others too.
const serversMost = 64

// forwarders are programs that listen for a server which runs somewhere else, as in
// a container.
var forwarders = []string{"docker-proxy", "kubectl", "pasta", "pasta.avx2", "rootlesskit", "rootlessport", "slirp4netns", "socat", "ssh", "sshd", "sshd-session"}

// ServersOf returns the ids of the processes of this machine that serve a loopback
// address, ascending: those that have its listening socket open, as the workers of
// nginx and gunicorn have in common with their master, and all processes that they
// started, as the workers of a node cluster, which get their connections from it. Not
// included are processes that this one started, whatever listens. The error says why
// the ids are not known.
func ServersOf(addr netip.AddrPort) ([]int, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("which process serves an address is not known on " + runtime.GOOS)
	}
	return serversOf(os.DirFS("/"), addr, os.Getpid())
}

// serversOf is [ServersOf] as the process self sees it.
func serversOf(fsys fs.FS, addr netip.AddrPort, self int) ([]int, error) {
	if !addr.Addr().Unmap().IsLoopback() {
		return nil, fmt.Errorf("%v is not a loopback address", addr)
	}
	sockets, err := listeners(fsys, addr)
	if err != nil {
		return nil, err
	}
	holders, denied, err := holdersOf(fsys, sockets)
	switch {
	case err != nil:
		return nil, err
	case len(holders) == 0 && denied:
		return nil, errors.New("the server's processes belong to another user")
	case len(holders) == 0:
		return nil, errors.New("the server's processes are not visible, as those of another container")
	}
	for _, pid := range holders {
		if p, err := readProcess(fsys, pid); err == nil && slices.Contains(forwarders, p.name) {
			return nil, fmt.Errorf("%s only forwards to the server", p.name)
		}
	}
	all, err := withChildren(fsys, holders, self)
	if err != nil {
		return nil, err
	}
	if len(all) > serversMost {
		return nil, fmt.Errorf("the server has %d processes, and more than %d are not read", len(all), serversMost)
	}
	return all, nil
}

// listeners returns the inodes of the sockets that a connection to addr may reach. A
// socket that listens at the address itself comes before one for all addresses, and
// one of the address's own version before one for both.
func listeners(fsys fs.FS, addr netip.AddrPort) (inodes []string, err error) {
	want := addr.Addr().Unmap()
	var best int
	for _, file := range []string{"proc/net/tcp", "proc/net/tcp6"} {
		b, err := fs.ReadFile(fsys, file)
		if errors.Is(err, fs.ErrNotExist) && file == "proc/net/tcp6" {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		_, rows, _ := strings.Cut(string(b), "\n") // below the head
		for row := range strings.Lines(rows) {
			s, err := parseSocket(row)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if !s.listens || s.at.Port() != addr.Port() {
				continue
			}
			fit := fitOf(s.at.Addr(), want)
			if fit > best {
				best, inodes = fit, nil
			}
			if fit > 0 && fit == best {
				inodes = append(inodes, s.inode)
			}
		}
	}
	if len(inodes) == 0 {
		return nil, fmt.Errorf("no process that can be seen listens at %v", addr)
	}
	return inodes, nil
}

// fitOf says how well a socket that listens at one address fits connections to
// another; 0 if it does not get them. A socket for all IPv6 addresses may get those
// to IPv4 addresses too, and does if there is no other.
func fitOf(at, to netip.Addr) int {
	switch {
	case at.Unmap() == to:
		return 3
	case !at.Unmap().IsUnspecified():
		return 0
	case at.Unmap().Is4() == to.Is4():
		return 2
	case at.Is6() && to.Is4():
		return 1
	}
	return 0
}

// A socket is a row of /proc/net/tcp (proc_pid_net(5)).
type socket struct {
	at      netip.AddrPort
	listens bool
	inode   string
}

// parseSocket reads a row: number local remote state queues timer retransmits user
// timeout inode ...
func parseSocket(row string) (s socket, err error) {
	f := strings.Fields(row)
	if len(f) < 10 {
		return socket{}, fmt.Errorf("%d fields, want at least 10", len(f))
	}
	const listening = "0A" // TCP_LISTEN
	s.listens, s.inode = f[3] == listening, f[9]
	s.at, err = parseHexAddr(f[1])
	return s, err
}

// parseHexAddr reads an address as /proc/net/tcp has it, 0100007F:1F90: words of 32
// bits in the byte order of the machine, and the port.
func parseHexAddr(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
	}
	for w := b; len(w) >= 4; w = w[4:] {
		binary.NativeEndian.PutUint32(w, binary.BigEndian.Uint32(w))
	}
	ip, ok := netip.AddrFromSlice(b)
	p, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: not an address and a port", s)
	}
	return netip.AddrPortFrom(ip, uint16(p)), nil
}

// holdersOf returns the processes that have one of the sockets open, and whether
// there are some that may not be looked into.
func holdersOf(fsys fs.FS, inodes []string) (pids []int, denied bool, err error) {
	entries, err := fs.ReadDir(fsys, "proc")
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // not a process
		}
		dir := "proc/" + e.Name() + "/fd"
		files, err := fs.ReadDir(fsys, dir)
		denied = denied || errors.Is(err, fs.ErrPermission)
		if slices.ContainsFunc(files, func(f fs.DirEntry) bool {
			link, _ := fs.ReadLink(fsys, dir+"/"+f.Name()) // "" if it was closed meanwhile
			inode, ok := strings.CutPrefix(link, "socket:[")
			return ok && slices.Contains(inodes, strings.TrimSuffix(inode, "]"))
		}) {
			pids = append(pids, pid)
		}
	}
	return pids, denied, nil
}

// withChildren returns pids and all that they started, except what self started.
func withChildren(fsys fs.FS, pids []int, self int) ([]int, error) {
	children, err := childrenOf(fsys)
	if err != nil {
		return nil, err
	}
	found := map[int]bool{}
	var add func(pid int)
	add = func(pid int) {
		if found[pid] {
			return
		}
		found[pid] = true
		for _, child := range children[pid] {
			if pid != self && child.pid != self {
				add(child.pid)
			}
		}
	}
	for _, pid := range pids {
		add(pid)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// childrenOf returns the processes of the machine by the id of the one that started
// them, or took them over.
func childrenOf(fsys fs.FS) (map[int][]process, error) {
	entries, err := fs.ReadDir(fsys, "proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]process{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := readProcess(fsys, pid); err == nil { // else it has ended
			children[p.parent] = append(children[p.parent], p)
		}
	}
	return children, nil
}
