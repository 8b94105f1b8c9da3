package loadtestkit

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documented is the package as go doc shows it, and how many names it exports,
// fields apart.
func documented(t *testing.T) (p *doc.Package, names int) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if path == "race.go" || strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "example_") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	p, err = doc.NewFromFiles(fset, files, "github.com/loadtestkit/load-tester/loadtestkit")
	require.NoError(t, err)
	names = len(p.Funcs) + len(p.Types)
	for _, typ := range p.Types {
		names += len(typ.Funcs) + len(typ.Methods)
		for _, c := range typ.Consts {
			names += len(c.Names)
		}
	}
	return p, names
}

// Every exported name says what it is and has an example that runs.
func TestEveryNameHasAnExample(t *testing.T) {
	p, names := documented(t)
	t.Log(names, "exported names")
	check := func(name, text string, examples []*doc.Example) {
		t.Helper()
		assert.NotEmpty(t, text, "%s has no comment", name)
		if assert.NotEmpty(t, examples, "%s has no example", name) {
			for _, e := range examples {
				assert.True(t, e.Output != "" || e.EmptyOutput, "the example of %s does not run", name)
			}
		}
	}
	check("the package", p.Doc, p.Examples)
	for _, f := range p.Funcs {
		check(f.Name, f.Doc, f.Examples)
	}
	require.NotEmpty(t, p.Types)
	for _, typ := range p.Types {
		check(typ.Name, typ.Doc, typ.Examples)
		for _, f := range append(typ.Funcs, typ.Methods...) {
			check(typ.Name+"."+f.Name, f.Doc, f.Examples)
		}
	}
}
