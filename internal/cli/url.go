package cli

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loadtestkit/load-tester/internal/http1"
	"golang.org/x/net/http/httpproxy"
)

// addURL adds the flag of a target to a new group.
func (j *job) addURL() {
	j.group("Target", []flag{
		{"url,u", "URL", "", "target; may stand without --url, and without http://", each(&j.urls, nonEmpty), "URL"},
	})
}

// url returns the only URL that was given, with the flag or without.
func (j *job) url(args []string) string {
	if j.strayNumbers(args) || j.strayUser(args) {
		return ""
	}
	if len(j.urls)+len(args) == 0 && j.takenAsData() {
		return ""
	}
	return j.one("url", slices.Concat(j.urls, args), "the target: load-tester http://localhost:8080/ (see load-tester --help)")
}

// strayNumbers adds a fault for each URL that is a number: the value of a flag that
// takes none here, or k6's -u.
func (j *job) strayNumbers(args []string) (any bool) {
	for _, arg := range slices.Concat(j.urls, args) {
		if _, err := strconv.ParseFloat(arg, 64); err != nil {
			continue
		}
		any = true
		hint := ""
		switch {
		case j.given("url"):
			hint = fmt.Sprintf("; -u is --url, and what k6 calls so is --concurrency (-c) %s", arg)
		case j.given("quiet"):
			hint = fmt.Sprintf("; -q is --quiet, and a rate is --rate %s, of all connections together", arg)
		}
		j.faults.add("%q is no URL%s", arg, hint)
	}
	return any
}

// takenAsData adds a fault if a URL stands where a flag wants data.
func (j *job) takenAsData() bool {
	for _, b := range j.bodies {
		for _, text := range b.texts {
			if hasScheme(text) {
				j.faults.add("--%s %q: want data, and then the URL; a report as JSON is --format json", b.name, http1.Redacted(text))
				return true
			}
		}
	}
	return false
}

// hostPort is how a URL without a scheme begins if it has a colon.
var hostPort = regexp.MustCompile(`^(\[[^/?#]*\]|[^/?#]*@[^/?#]*|[^/?#:]*):\d*([/?#]|$)`)

// strayUser adds a fault if -u got a user and password, as curl's does.
func (j *job) strayUser(args []string) bool {
	for _, u := range j.urls {
		colon := strings.Contains(u, ":")
		if _, err := netip.ParseAddr(u); err == nil || !colon || hasScheme(u) || hostPort.MatchString(u) && len(args) == 0 {
			continue
		}
		j.faults.add("--url: no URL; a user and password are --user (-a) USER:PASSWORD")
		return true
	}
	return false
}

// hasScheme reports whether a URL begins with a scheme or with what is meant as
// one, such as http:/host.
func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	lower := strings.ToLower(s)
	return ok && !strings.ContainsAny(scheme, "/?#") ||
		strings.HasPrefix(lower, "http:") || strings.HasPrefix(lower, "https:")
}

// withScheme is a URL with http:// in front if it has no scheme, as curl takes it.
func withScheme(s string) string {
	if s == "" || hasScheme(s) {
		return s
	}
	return "http://" + s
}

// one returns the only URL that was given for a flag. missing is what to say if
// there is none.
func (j *job) one(flag string, urls []string, missing string) string {
	switch {
	case len(urls) == 1:
		target := withScheme(urls[0])
		j.targets = append(j.targets, target)
		return target
	case len(urls) > 1:
		j.faults.add("--%s: %d URLs are given, %s, want one", flag, len(urls), quoted(urls))
	case len(j.faults) == 0:
		j.faults.add("--%s is missing, want %s", flag, missing)
	}
	return ""
}

// remarkOn adds notes on what does nothing at a target.
func (j *job) remarkOn(target string) {
	u, err := url.Parse(target)
	if err != nil {
		return
	}
	if name := j.proxyFor(u); name != "" {
		j.note("%s is set and not used: the load goes to %s directly", name, u.Hostname())
	}
	if u.Scheme == "https" || j.request.FollowRedirects { // which may lead to https
		return
	}
	var idle []string
	for _, name := range tlsNames {
		if j.given(name) {
			idle = append(idle, "--"+name)
		}
	}
	switch {
	case j.given("insecure"):
		j.note("--insecure (-k) does nothing for http://; connections are kept alive, as with ab's -k, by default")
	case len(idle) == 1:
		j.note("%s does nothing for http://", idle[0])
	case len(idle) > 1:
		j.note("%s do nothing for http://", strings.Join(idle, " "))
	}
}

// note adds a line to write before the measurement, once.
func (j *job) note(format string, args ...any) {
	if line := fmt.Sprintf("load-tester: "+format, args...); !slices.Contains(j.notes, line) {
		j.notes = append(j.notes, line)
	}
}

// proxyFor returns the variable of the environment that names a proxy for u; "" if
// there is none, or none for loopback or what NO_PROXY names.
func (j *job) proxyFor(u *url.URL) string {
	_, except := j.variable("NO_PROXY")
	for _, scheme := range []string{u.Scheme, "all"} {
		name, value := j.variable(strings.ToUpper(scheme) + "_PROXY")
		c := httpproxy.Config{HTTPProxy: value, HTTPSProxy: value, NoProxy: except}
		if proxy, err := c.ProxyFunc()(u); proxy != nil || err != nil {
			return name
		}
	}
	return ""
}

// variable returns a variable of the environment in upper case or else in lower.
func (j *job) variable(name string) (found, value string) {
	if value := j.env(name); value != "" {
		return name, value
	}
	name = strings.ToLower(name)
	return name, j.env(name)
}
