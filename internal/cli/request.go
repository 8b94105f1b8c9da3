package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A bodyFlag is one of the flags that give the body of each request.
type bodyFlag struct {
	name      string
	texts     []string      // in order, each text or @FILE
	once      bool          // there may be only one text
	separator string        // between texts
	dash      bool          // - is standard input too
	oneLine   bool          // line ends and NULs of a file are left out
	header    []http1.Field // sent unless the user says otherwise
	most      int64         // octets of a file
}

// newBodyFlags returns --body, and curl's --data and --json, which do as curl does.
func newBodyFlags() []*bodyFlag {
	const jsonType = "application/json"
	return []*bodyFlag{
		{name: "body", most: maxBody, once: true, dash: true},
		{name: "data", most: maxBody, separator: "&", oneLine: true, header: []http1.Field{
			{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}},
		{name: "json", most: maxBody, header: []http1.Field{
			{Name: "Content-Type", Value: jsonType}, {Name: "Accept", Value: jsonType}}},
	}
}

// finishRequest adds to the request what several flags say together. It does not
// wait for standard input when something is wrong.
func (j *job) finishRequest() {
	if j.request == nil {
		return
	}
	j.alternatives("method", "request")
	j.alternatives("body", "data", "json")
	j.addUser()
	j.checkData()
	for _, b := range j.bodies {
		if len(b.texts) > 1 && b.once {
			j.faults.add("--%s is given %d times, want it once", b.name, len(b.texts))
		}
		if len(b.texts) > 0 && len(j.faults) == 0 {
			j.setBody(b)
		}
	}
}

// setBody makes what a flag gives the body of each request.
func (j *job) setBody(b *bodyFlag) {
	parts := make([][]byte, len(b.texts))
	for i, text := range b.texts {
		var err error
		if parts[i], err = b.content(text, j.stdin); err != nil {
			j.faults.add("--%s %q: %v", b.name, text, err)
			return
		}
	}
	// An empty body is one too, and makes a POST.
	j.request.Body = append([]byte{}, bytes.Join(parts, []byte(b.separator))...)
	for _, f := range b.header {
		if !namesField(j.request, f.Name) {
			j.request.Header = append(j.request.Header, f)
		}
	}
}

// content returns what TEXT, @FILE, @- or - stands for.
func (b *bodyFlag) content(s string, stdin io.Reader) (content []byte, err error) {
	name, isFile := strings.CutPrefix(s, "@")
	switch {
	case s == "@-" || s == "-" && b.dash:
		if content, err = readAll(stdin, b.most); err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
	case isFile:
		if content, err = readFile(name, b.most); err != nil {
			return nil, fmt.Errorf("%s, want text, @FILE or @- for standard input", unit.Clause(cause(err).Error()))
		}
	default:
		return []byte(s), nil
	}
	if b.oneLine {
		content = slices.DeleteFunc(content, func(c byte) bool { return c == '\r' || c == '\n' || c == 0 })
	}
	return content, nil
}

// checkData adds a fault if --data is probably meant as a duration, as -d is in
// wrk, k6 and others: the server would get a POST instead.
func (j *job) checkData() {
	if j.given("method", "request") || namesField(j.request, "Content-Type") {
		return
	}
	data := j.bodies[1]
	for _, text := range data.texts {
		if d := asDuration(text); d != "" {
			j.faults.add("--data %q: -d is data, as in curl; the duration is -z %s (to send it nevertheless: -X POST -d %s)", text, d, text)
		}
	}
}

// asDuration returns s with a unit if it may be a duration, in seconds where it has
// no unit; else "".
func asDuration(s string) string {
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		return s + "s"
	}
	if _, err := time.ParseDuration(s); err == nil {
		return s
	}
	return ""
}

// addUser adds the field for --user.
func (j *job) addUser() {
	switch {
	case !j.given("user") || j.wrong["user"]:
	case namesField(j.request, "Authorization"):
		j.faults.add("--user and --header Authorization are both given, want one of them")
	default:
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(j.user))
		j.request.Header = append(j.request.Header, http1.Field{Name: "Authorization", Value: basic})
	}
}

// namesField reports whether r sets a field of the header or leaves it out.
func namesField(r *engine.RequestOptions, field string) bool {
	is := func(name string) bool { return strings.EqualFold(name, field) }
	return slices.ContainsFunc(r.Header, func(f http1.Field) bool { return is(f.Name) }) || slices.ContainsFunc(r.Without, is)
}

// addHeader reads a header field into r as curl does: 'Name: value', 'Name;' for one
// that is empty, or 'Name:' to leave out one that is sent by default.
func addHeader(r *engine.RequestOptions) func(string) error {
	return func(s string) error {
		name, value, ok := strings.Cut(s, ":")
		value = strings.Trim(value, " \t")
		switch {
		case ok && value == "":
			r.Without = append(r.Without, name)
		case ok:
			r.Header = append(r.Header, http1.Field{Name: name, Value: value})
		default:
			if name, ok = strings.CutSuffix(strings.TrimSpace(s), ";"); ok {
				r.Header = append(r.Header, http1.Field{Name: name})
			}
		}
		if !ok || strings.TrimSpace(name) == "" {
			return errors.New("want 'Name: value', for example 'Accept: application/json', 'Name;' to send it empty, or 'Name:' to leave it out")
		}
		return nil
	}
}

// override returns the fields that both targets get with those of one of them,
// which replace others of the same name.
func override(both, own engine.RequestOptions) engine.RequestOptions {
	r := both
	r.Header, r.Without = slices.Clone(own.Header), slices.Clone(own.Without)
	for _, f := range both.Header {
		if !namesField(&own, f.Name) {
			r.Header = append(r.Header, f)
		}
	}
	for _, name := range both.Without {
		if !namesField(&own, name) {
			r.Without = append(r.Without, name)
		}
	}
	return r
}

// parseMethod reads a method. A number is curl's -m, its longest time.
func parseMethod(s string) (string, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return "", fmt.Errorf("want a method such as GET; the longest time of a request is --timeout (-t) %ss", s)
	}
	return nonEmpty(s)
}

// parseUser reads the name and password of basic authentication (RFC 7617).
func parseUser(s string) (string, error) {
	if !strings.Contains(s, ":") {
		return "", errors.New("want USER:PASSWORD, for example me:secret, or 'me:' without a password")
	}
	return s, nil
}
