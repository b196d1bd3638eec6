package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"godarts/configs"
)

// builtin is the folder, in paths, of the configs that the program contains.
const builtin = "built-in:"

// Builtin describes a config that the program contains.
type Builtin struct {
	Name  string // without .yaml; Load takes it
	Title string // the first line of its comment
	Text  string
}

// Builtins lists the configs that the program contains by name. The name of a toy, which is another one at a
// size of seconds, ends in ".toy".
func Builtins() (all []Builtin) {
	entries, err := configs.Files.ReadDir(".")
	if err != nil {
		panic(err) // the files are in the program
	}
	for _, e := range entries {
		text, err := configs.Files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
		all = append(all, Builtin{strings.TrimSuffix(e.Name(), extension), title, string(text)})
	}
	return all
}

// IsBuiltin reports whether Load takes name from the program: it names no file, but one of Builtins, with or
// without .yaml.
func IsBuiltin(name string) bool { return strings.HasPrefix(find(name), builtin) }

// find returns the path of the config that a user names: a file, or else one that the program contains.
func find(name string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	return orBuiltin(name)
}

// beside returns the path of the config that the one at path calls file. Without a folder, a file that is not
// there is one that the program contains.
func beside(path, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	joined := filepath.Join(filepath.Dir(path), file)
	if strings.ContainsRune(file, filepath.Separator) || strings.HasPrefix(path, builtin) {
		return joined
	}
	return orBuiltin(joined)
}

// orBuiltin returns path, but that of the config of this name in the program where there is no such file. The
// name may lack .yaml.
func orBuiltin(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), extension) + extension
	if _, err := fs.Stat(configs.Files, name); err != nil {
		return path
	}
	for _, file := range []string{path, strings.TrimSuffix(path, extension) + extension} {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
	}
	return filepath.Join(builtin, name)
}

// readBuiltin returns the text of the config at path if that is in the program.
func readBuiltin(path string) (text []byte, ok bool, err error) {
	name, ok := strings.CutPrefix(path, builtin+string(filepath.Separator))
	if !ok {
		return nil, false, nil
	}
	text, err = configs.Files.ReadFile(name)
	return text, true, err
}
