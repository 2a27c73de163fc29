//go:build peers

package peers

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMasksByHand computes the mask of one object over a picture of 4x4 pixels from two prototypes of 2x2. With the
// coefficients 1 and -1 their sum is 1, 0 / 0, -1/2; between the centres of its cells it is interpolated: with a = 1, 3/4, 1/4, 0
// from left to right and from top to bottom, the value is a(x)a(y) - (1-a(x))(1-a(y))/2, whose sign gives the mask. The second box ends
// in the middle. A picture that comes by rows is fitted as a whole one is.
func TestMasksByHand(t *testing.T) {
	script := `
import { letterbox, masks, objects } from ` + "'./yolo.js'" + `;
const box = { gain: 1, left: 0, top: 0, picture: { width: 4, height: 4 } };
const prototypes = { data: Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0.5), dims: [1, 2, 2, 2] };
const coefficients = Float32Array.of(1, -1);
const { width, height, data } = masks([{ coefficients, box_xyxy: [0, 0, 4, 4] }, { coefficients, box_xyxy: [0, 0, 2, 2] }], prototypes, box, { width: 4, height: 4 });
console.log(width, height, data.join(''));
// one class, and two coefficients after its score, which are no scores although they are larger
console.log(JSON.stringify(objects(Float32Array.of(2, 2, 2, 2, 0.5, 0.75, 9, 8), 8, box, { masks: 2 }).map(o => [o.class, o.score, ...o.box_xyxy, ...o.coefficients])));
const pixels = Uint8Array.from({ length: 37 * 23 * 4 }, (_, i) => i * 2654435761 >>> 24);
const whole = letterbox({ data: pixels, width: 37, height: 23 }, 64, 64), rows = letterbox({ row: y => pixels.slice(y * 37 * 4, (y + 1) * 37 * 4), width: 37, height: 23 }, 64, 64);
console.log(new Set(whole.input).size > 100, whole.input.every((x, i) => x === rows.input[i]));
`
	folder, err := filepath.Abs(filepath.Join(deployFolder, "web"))
	if err != nil {
		t.Fatal(err)
	}
	script = strings.ReplaceAll(script, "./yolo.js", filepath.Join(folder, "yolo.js"))
	out := want(t, 0, lookup(t, "node", "Debian has nodejs"), "--input-type=module", "-e", script)
	expected := "4 4 1110" + "1110" + "1100" + "0000" + "1100" + "1100" + "0000" + "0000\n[[0,0.375,1,1,3,3,9,8]]\ntrue true\n"
	if !strings.HasSuffix(out, expected) {
		t.Errorf("printed %q, expected %q", out, expected)
	}
}
