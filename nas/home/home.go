// Package home reads the ~ of paths that no shell has expanded: in config files, in
// --set data.root=~/x, in quotes, in the environment.
package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Expand puts the user's home folder in the place of "~" in "~" and "~/...". Other paths stay
// as they are. The home of another user, "~name", is an error.
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
