package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/packages"
)

// importer finds the packages that a package has loaded.
type importer map[string]*packages.Package

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return i[path].Types, nil
}

func TestMutantsCompile(t *testing.T) {
	// Each mistake is one that the compiler lets pass: a test has to notice it.
	if testing.Short() {
		t.Skip("-short: the types of the whole module")
	}
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	mode := packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedCompiledGoFiles |
		packages.NeedFiles | packages.NeedTypesInfo
	found, err := packages.Load(&packages.Config{Mode: mode, Fset: fset, Dir: root}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*packages.Package{} // by file
	for _, p := range found {
		for _, file := range p.CompiledGoFiles {
			of[file] = p
		}
	}
	for _, m := range mutants {
		path := filepath.Join(root, m.file)
		p := of[path]
		if p == nil {
			t.Errorf("%s: no package has %s", m.name, m.file)
			continue
		}
		text, err := m.applyTo(root)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		mutated, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		files := []*ast.File{mutated}
		for _, file := range p.Syntax {
			if fset.Position(file.Package).Filename != path {
				files = append(files, file)
			}
		}
		if _, err := (&types.Config{Importer: importer(p.Imports)}).Check(p.PkgPath, fset, files, nil); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
