// Package configs holds the published configs, so that a program has them in any folder.
package configs

import "embed"

// Files are the configs by file name.
//
//go:embed *.yaml
var Files embed.FS
