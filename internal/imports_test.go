package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/loadtestkit/load-tester/"

// allowed lists which package of the module may import which, and why.
var allowed = []struct{ from, to, why string }{
	{"cmd/load-tester", "internal/cli", "main only starts the command"},
	{"internal/cli", "internal/baseline", "history"},
	{"internal/cli", "internal/engine", "plans made from flags"},
	{"internal/cli", "internal/text", "the page for people"},
	{"internal/cli", "internal/export", "formats for other programs"},
	{"internal/cli", "internal/http1", "header fields, and what keeps TLS from working"},
	{"internal/cli", "internal/load", "stages and progress"},
	{"internal/cli", "internal/lock", "whether a file has several names"},
	{"internal/cli", "internal/record", "advice if a run is not possible"},
	{"internal/cli", "internal/report", "writers"},
	{"internal/cli", "internal/target", "demo and target"},
	{"internal/cli", "internal/unit", "how numbers are written"},
	{"internal/cli", "internal/verdict", "limits"},
	{"loadtestkit", "internal/baseline", "earlier runs to judge by"},
	{"loadtestkit", "internal/engine", "plans made from options"},
	{"loadtestkit", "internal/http1", "header fields, and what keeps TLS from working"},
	{"loadtestkit", "internal/load", "stages"},
	{"loadtestkit", "internal/lock", "one load test at a time on a machine"},
	{"loadtestkit", "internal/report", "the result"},
	{"loadtestkit", "internal/target", "request ids"},
	{"loadtestkit", "internal/text", "the page in the test's log"},
	{"loadtestkit", "internal/unit", "how numbers are written"},
	{"loadtestkit", "internal/verdict", "limits"},
	{"internal/engine", "internal/stat", "the rank of the calm part"},
	{"internal/engine", "internal/baseline", "earlier runs"},
	{"internal/engine", "internal/clock", "real time, or that of a bubble"},
	{"internal/engine", "internal/hist", "quantiles for the limits' messages"},
	{"internal/engine", "internal/host", "what the machine did meanwhile"},
	{"internal/engine", "internal/http1", "the wire"},
	{"internal/engine", "internal/load", "the load"},
	{"internal/engine", "internal/record", "what was seen"},
	{"internal/engine", "internal/report", "the result"},
	{"internal/engine", "internal/target", "handlers in process"},
	{"internal/engine", "internal/unit", "how numbers are written"},
	{"internal/engine", "internal/verdict", "the judgement"},
	{"internal/engine", "internal/wire", "how requests get there"},
	{"internal/wire", "internal/hist", "times to open connections"},
	{"internal/wire", "internal/http1", "what goes over the wire"},
	{"internal/wire", "internal/load", "its interfaces Sender and Mux"},
	{"internal/wire", "internal/record", "how an exchange ended"},
	{"internal/wire", "internal/target", "request ids in the contexts of functions"},
	{"internal/wire", "internal/unit", "bodies in messages"},
	{"internal/baseline", "internal/clock", "the reference work"},
	{"internal/baseline", "internal/host", "what kind of machine this is"},
	{"internal/baseline", "internal/lock", "one writer at a time"},
	{"internal/baseline", "internal/record", "the kind of error that a wrong response is"},
	{"internal/baseline", "internal/report", "the run that is judged or added"},
	{"internal/baseline", "internal/unit", "names of quantiles"},
	{"internal/baseline", "internal/verdict", "runs to judge by"},
	{"internal/target/targettest", "internal/target", "servers with known latencies"},
	{"internal/target", "internal/stat", "random latencies"},
	{"internal/http1", "internal/stat", "random trace ids"},
	{"internal/text", "internal/record", "addresses of a target"},
	{"internal/text", "internal/hist", "the rows of a histogram"},
	{"internal/text", "internal/report", "what is printed"},
	{"internal/text", "internal/stat", "whether there is a p99 for them"},
	{"internal/text", "internal/unit", "how numbers are written"},
	{"internal/text", "internal/verdict", "colours of verdicts"},
	{"internal/export", "internal/hist", "times and the course of a run"},
	{"internal/export", "internal/report", "what is written"},
	{"internal/export", "internal/stat", "nearest rank"},
	{"internal/export", "internal/unit", "how numbers are written"},
	{"internal/report", "internal/hist", "distributions"},
	{"internal/report", "internal/host", "what the machine did meanwhile"},
	{"internal/report", "internal/record", "what was seen"},
	{"internal/report", "internal/stat", "whether a quantile can be shown"},
	{"internal/report", "internal/unit", "how numbers are written"},
	{"internal/report", "internal/verdict", "verdicts"},
	{"internal/verdict", "internal/hist", "the course of a run, block by block"},
	{"internal/verdict", "internal/host", "what the machine did meanwhile"},
	{"internal/verdict", "internal/record", "what is judged"},
	{"internal/verdict", "internal/stat", "bounds and tests"},
	{"internal/verdict", "internal/unit", "how numbers are written"},
	{"internal/record", "internal/hist", "times and the course of a run"},
	{"internal/record", "internal/host", "what the machine did meanwhile"},
	{"internal/record", "internal/unit", "messages without a full stop"},
	{"internal/load", "internal/clock", "when requests are due, sent and done"},
	{"internal/load", "internal/hist", "response times in a tally"},
	{"internal/load", "internal/record", "what was seen of each request"},
	{"internal/load", "internal/stat", "random arrivals"},
	{"internal/http1", "internal/clock", "how long it took to connect, and a response to arrive"},
	{"internal/http1", "internal/record", "how an exchange failed"},
	{"internal/hist", "internal/stat", "nearest rank"},
	{"internal/host", "internal/clock", "how late a goroutine wakes"},
	{"internal/host", "internal/stat", "nearest rank"},
}

// only lists packages that few may import, and the few. Tests are exempt.
var only = map[string][]string{
	"github.com/fatih/color":                     {"internal/cli"},
	"github.com/spf13/cobra":                     {"internal/cli"},
	"github.com/spf13/pflag":                     {"internal/cli"},
	"golang.org/x/term":                          {"internal/cli"},
	"gonum.org/v1/gonum/mathext":                 {"internal/stat"},
	"github.com/HdrHistogram/hdrhistogram-go":    {"internal/hist"},
	"github.com/stretchr/testify/assert":         {},
	"github.com/stretchr/testify/require":        {},
	"github.com/rogpeppe/go-internal/testscript": {},
	"net/http/httptest":                          {"internal/target"},
	"testing":                                    {"internal/target/targettest", "loadtestkit"},
	module + "internal/target/targettest":        {},
}

func TestImportsPointDown(t *testing.T) {
	seen := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && isModule(path) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		for _, i := range file.Imports {
			to, _ := strconv.Unquote(i.Path.Value)
			if users, ok := only[to]; ok {
				assert.Contains(t, users, from, "%s imports %s", path, to)
			}
			if to, ok := strings.CutPrefix(to, module); ok {
				seen[from+" "+to] = true
			}
		}
		return nil
	}))
	table := map[string]bool{}
	for _, a := range allowed {
		require.NotEmpty(t, a.why)
		table[a.from+" "+a.to] = true
		assert.True(t, seen[a.from+" "+a.to], "the table allows %s -> %s, which is unused", a.from, a.to)
	}
	for arrow := range seen {
		assert.True(t, table[arrow], "%s is not an allowed import", arrow)
	}
}

// isModule reports whether dir is the root of a module.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// Users of the library must not link the command's dependencies, and the command must
// not link package testing.
func TestWhatIsLinked(t *testing.T) {
	check := func(pkg string, unwanted ...string) {
		t.Helper()
		out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
		require.NoError(t, err)
		deps := strings.Fields(string(out))
		require.Greater(t, len(deps), 20)
		for _, d := range deps {
			assert.False(t, slices.Contains(unwanted, d), "%s links %s", pkg, d)
		}
	}
	check("loadtestkit", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require",
		"github.com/rogpeppe/go-internal/testscript", "github.com/fatih/color", "github.com/spf13/pflag", "github.com/spf13/cobra")
	check("cmd/load-tester", "testing", "github.com/stretchr/testify/assert")
}
