// Names the instruction set that a translation unit is compiled for. Every kernel lives in a
// namespace of that name, so that the same header can be compiled several times into one module.
#pragma once

#ifndef CLASSICSEG_ISA
#define CLASSICSEG_ISA baseline
#endif
