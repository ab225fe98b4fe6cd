// Images and volumes as the kernels see them.
#pragma once

namespace classicseg {

// (height, width, channels) float in 0..255, with 1 or 3 channels.
struct ImageView {
    const float* data;
    int height, width, channels;
};

// (depth, height, width, channels) likewise.
struct VolumeView {
    const float* data;
    int depth, height, width, channels;
};

}  // namespace classicseg
