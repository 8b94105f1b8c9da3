package internal_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// floors returns the floor of each package, read from the picture in
// docs/ARCHITECTURE.md.
func floors(t *testing.T) map[string]int {
	t.Helper()
	page, err := os.ReadFile("../docs/ARCHITECTURE.md")
	require.NoError(t, err)
	of := map[string]int{}
	for line := range strings.Lines(string(page)) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "floor" {
			continue
		}
		floor, err := strconv.Atoi(words[1])
		require.NoError(t, err, line)
		for _, room := range words[2:] {
			require.NotContains(t, of, room, "%s is on two floors", room)
			of[room] = floor
		}
	}
	require.NotEmpty(t, of)
	return of
}

// Every package is in the picture, and imports only what is on lower floors.
func TestPictureMatchesImports(t *testing.T) {
	of := floors(t)
	for _, a := range allowed {
		if strings.HasSuffix(a.from, "test") { // only for tests
			continue
		}
		require.Contains(t, of, a.from)
		require.Contains(t, of, a.to)
		assert.Greater(t, of[a.from], of[a.to], "%s imports %s", a.from, a.to)
	}
	rooms := map[string]bool{}
	eachFile(t, func(room string, _ *ast.File) { rooms[room] = true })
	for room := range rooms {
		assert.Contains(t, of, room, "%s is missing from the picture", room)
	}
	for room := range of {
		assert.True(t, rooms[room], "%s is in the picture but does not exist", room)
	}
}

// A word means one thing: no two packages export types of the same name. loadtestkit
// is exempt, because it repeats names of the core for its users.
func TestTypeNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	eachFile(t, func(room string, file *ast.File) {
		if room == "loadtestkit" {
			return
		}
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
					other, twice := seen[s.Name.Name]
					assert.False(t, twice && other != room, "%s is a type in %s and in %s", s.Name.Name, other, room)
					seen[s.Name.Name] = room
				}
			}
		}
	})
	require.Greater(t, len(seen), 50)
}

// Times are measured by one clock, since that of package time is coarse on Windows.
func TestTimesAreMeasuredByTheClock(t *testing.T) {
	seen := 0
	eachFile(t, func(room string, file *ast.File) {
		if !slices.Contains([]string{"internal/load", "internal/wire", "internal/http1", "internal/host", "internal/baseline"}, room) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Since" {
				return true
			}
			seen++
			x, ok := s.X.(*ast.Ident)
			assert.False(t, ok && x.Name == "time", "%s calls time.Since", room)
			return true
		})
	})
	assert.Greater(t, seen, 5)
}

// What must be read to follow one request can be read in an afternoon.
func TestReadingListIsShort(t *testing.T) {
	page, err := os.ReadFile("../docs/ARCHITECTURE.md")
	require.NoError(t, err)
	files, lines := 0, 0
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_/-]+\\.go)` \\|").FindAllSubmatch(page, -1) {
		text, err := os.ReadFile("../" + string(m[1]))
		require.NoError(t, err)
		files++
		lines += bytes.Count(text, []byte("\n"))
	}
	assert.Greater(t, files, 20)
	assert.Less(t, lines, 5500)
}

// eachFile calls f for every Go file that is not a test.
func eachFile(t *testing.T, f func(room string, file *ast.File)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		room := filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		switch {
		case err != nil:
			return err
		case d.IsDir() && (room == "internal" && d.Name() == "peers" || d.Name() == "targettest" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		f(room, file)
		return nil
	}))
}
