package names

import (
	"fmt"
	"strings"
)

// Count is a number of things: "1 image", "2 images".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Few lists the first five texts, and how many more there are.
func Few(texts []string) string {
	const most = 5
	list := strings.Join(texts[:min(len(texts), most)], ", ")
	if len(texts) > most {
		list += fmt.Sprintf(" and %d more", len(texts)-most)
	}
	return list
}
