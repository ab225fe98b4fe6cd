// An image as the kernels see it.
#pragma once

namespace classicseg {

// (height, width, channels) float in 0..255, with 1 or 3 channels.
struct ImageView {
    const float* data;
    int height, width, channels;
};

}  // namespace classicseg
