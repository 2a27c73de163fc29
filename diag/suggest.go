package diag

import "strings"

// Suggest finds the candidate that word was probably meant to be: the nearest by edits (insert, delete, replace,
// swap neighbours), where a difference in case alone costs nothing. It must be near: one edit in short words, at
// most a third of the letters in longer ones. Equal distances go to the candidate that comes first.
func Suggest(word string, candidates []string) (string, bool) {
	const longest = 64
	if word == "" || len(word) > longest {
		return "", false
	}
	best, bestCost := "", 1<<30
	for _, c := range candidates {
		if c == word || len(c) > longest {
			continue
		}
		cost := 2 * editDistance(strings.ToLower(word), strings.ToLower(c))
		if cost > 2*max(1, max(len(word), len(c))/3) {
			continue
		}
		if editDistance(word, c)*2 != cost {
			cost++ // a difference in case decides between candidates that are otherwise equally near
		}
		if cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best, best != ""
}

// editDistance is the Damerau-Levenshtein distance in its restricted form (a pair is swapped at most once).
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
