// Package yamlcfg reads YOLOv5's model YAML: the scalars (nc, depth_multiple, width_multiple, anchors,
// activation, channel_multiple, ch) and the rows `[from, number, module, args]` of backbone and head.
//
// It reads what YOLOv5 reads, the way YOLOv5 reads it: scalars have YAML 1.1 types as PyYAML's safe_load
// gives them, and string arguments are Python literals, read as data by a small parser. Nothing is ever
// evaluated. It knows rows, positions and numbers, but neither modules nor tensors.
//
// Every complaint is a [Diagnostic] with file, line and column; one run reports all that it finds.
package yamlcfg
