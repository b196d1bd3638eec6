// Package home finds the folders of the user: ~ in paths that no shell has expanded, such as
// those in config files, in --set data.root=~/x, in quotes and in the environment, and the
// folder of the data sets.
package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Expand replaces "~" in "~" and "~/..." by the user's home folder. It does not change other
// paths. The home of another user, "~name", is an error.
func Expand(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path, nil
	}
	if rest != "" && rest[0] != filepath.Separator {
		user, _, _ := strings.Cut(path, "/")
		return "", fmt.Errorf("%s: the home of another user is not looked up: write the whole path (or ./%s for a file of that name)", path, user)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}

// DataRoot returns the folder that holds the data sets: given if it is not empty, else
// $GODARTS_DATA, else ~/.cache/godarts.
func DataRoot(given string) string {
	if given != "" {
		return given
	}
	if dir := os.Getenv("GODARTS_DATA"); dir != "" {
		if expanded, err := Expand(dir); err == nil {
			return expanded
		}
		return dir // the first error that names the path shows the ~
	}
	home, _ := os.UserHomeDir() // without a home the path is relative, which the first error shows
	return filepath.Join(home, ".cache", "godarts")
}
