package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// measured is a package with its files, without tests, and its knots, the largest first.
type measured struct {
	path  string
	files []string
	lines int
	knots [][]string // of at least two files
}

// largest returns the largest knot, or nil.
func (m measured) largest() []string {
	if len(m.knots) == 0 {
		return nil
	}
	return m.knots[0]
}

// measure measures the packages that match patterns, relative to folder.
func measure(folder string, patterns ...string) ([]measured, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedDeps | packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: folder,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	var found []measured
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		m := measured{path: p.PkgPath}
		for _, path := range p.GoFiles {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			m.files = append(m.files, filepath.Base(path))
			m.lines += strings.Count(string(text), "\n")
		}
		m.knots = knots(m.files, needs(p))
		found = append(found, m)
	}
	return found, nil
}

// needs returns for each file of p the files of p that declare a constant, variable, function, type,
// method or field that it uses.
func needs(p *packages.Package) map[string]map[string]bool {
	base := func(pos token.Pos) string { return filepath.Base(p.Fset.Position(pos).Filename) }
	uses := map[string]map[string]bool{}
	for _, file := range p.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			name, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			object := p.TypesInfo.Uses[name]
			if object == nil || object.Pkg() != p.Types || !outlivesFile(object, p.Types) {
				return true
			}
			from, to := base(name.Pos()), base(object.Pos())
			if from != to {
				if uses[from] == nil {
					uses[from] = map[string]bool{}
				}
				uses[from][to] = true
			}
			return true
		})
	}
	return uses
}

// outlivesFile tells whether another file can use object: a declaration of the package, a method or a field.
func outlivesFile(object types.Object, p *types.Package) bool {
	if object.Parent() == p.Scope() {
		return true
	}
	if v, ok := object.(*types.Var); ok {
		return v.IsField()
	}
	_, method := object.(*types.Func)
	return method
}

// knots returns the strongly connected components of two or more files, the largest first (Tarjan 1972).
func knots(files []string, uses map[string]map[string]bool) [][]string {
	var (
		found      [][]string
		path       []string
		index, low = map[string]int{}, map[string]int{}
		visit      func(string)
	)
	visit = func(file string) {
		index[file] = len(index) + 1
		low[file] = index[file]
		path = append(path, file)
		for next := range uses[file] {
			if !slices.Contains(files, next) {
				continue // made by cgo
			}
			if index[next] == 0 {
				visit(next)
				low[file] = min(low[file], low[next])
			} else if slices.Contains(path, next) {
				low[file] = min(low[file], index[next])
			}
		}
		if low[file] == index[file] {
			at := slices.Index(path, file)
			if knot := slices.Clone(path[at:]); len(knot) > 1 {
				slices.Sort(knot)
				found = append(found, knot)
			}
			path = path[:at]
		}
	}
	for _, file := range files {
		if index[file] == 0 {
			visit(file)
		}
	}
	slices.SortFunc(found, func(a, b []string) int { return len(b) - len(a) })
	return found
}
