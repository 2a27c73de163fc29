package verify

import "strings"

// AssumedKey is the entry of an exported file's metadata_props with the assumptions that its numbers depend on, where the
// checkpoint did not tell.
const AssumedKey = "assumed"

// maxAssumed bounds how many bytes of it are shown: a file may say anything.
const maxAssumed = 200

// Assumed is what the file says that its export assumed: no check of the file alone can prove it. "" where it says nothing.
func (f *Facts) Assumed() string {
	text := f.Metadata[AssumedKey]
	if len(text) > maxAssumed {
		text = strings.ToValidUTF8(text[:maxAssumed], "") + "…"
	}
	return text
}
