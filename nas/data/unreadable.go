package data

import (
	"fmt"
	"path/filepath"

	"godarts/nas/names"
)

// Unreadable is an image file that cannot be used.
type Unreadable struct {
	File string `json:"file"` // from the root of its folder
	Why  string `json:"why"`

	Root string `json:"-"`
}

// Error names the file.
func (u *Unreadable) Error() string {
	return fmt.Sprintf("data: imagefolder: %s: %s", names.Escape(filepath.Join(u.Root, u.File)), u.Why)
}
