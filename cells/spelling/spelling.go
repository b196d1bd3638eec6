// Package spelling measures how far apart two spellings of a name lie.
package spelling

// Distance is the Levenshtein distance in bytes.
func Distance(a, b string) int {
	return Weighted(a, b, 1, func(_, _ byte) int { return 1 })
}

// Weighted is the Levenshtein distance where leaving a byte out, or putting one in, costs edit, and one
// byte in place of another what swap says.
func Weighted(a, b string, edit int, swap func(x, y byte) int) int {
	row := make([]int, len(b)+1) // row[j] is the distance between a[:i] and b[:j]
	for j := range row {
		row[j] = j * edit
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] += edit
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute += swap(a[i], b[j])
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+edit, row[j+1]+edit)
		}
	}
	return row[len(b)]
}
