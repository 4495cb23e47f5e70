// The descriptions of the known data sets: configs/_base_/datasets/*.json, built into the library
// so that programs need no folder beside them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pose/config/config.h"
#include "pose/core/dataset_meta.h"

namespace limber {

// By file stem: "coco", "mpii", ... Throws InputError naming the known ones.
std::shared_ptr<const DatasetMeta> known_metainfo(const std::string& stem);
std::vector<std::string> known_metainfo_names();

// A config's `metainfo`: {"from_file": a file that exists, or whose stem is a known description} or
// an object that overrides parts of a description: categories ("classes"), upper_body_ids,
// lower_body_ids, flip_indices, flip_pairs, dataset_keypoint_weights, dataset_name, sigmas. Null:
// `fallback` (a stem).
std::shared_ptr<const DatasetMeta> resolve_metainfo(const Config& metainfo,
                                                    const std::string& fallback);

// The OKS sigmas of the description that a file name stands for ("metainfo" of losses and
// assigners), as above; empty for null. Throws InputError where the description has none.
std::vector<float> sigmas_of(const Config& file_name);

}  // namespace limber
