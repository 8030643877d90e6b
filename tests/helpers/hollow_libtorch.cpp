// Takes the place of LibTorch for the loader, and has nothing of it: not even the function that tells its version.
extern "C" int hollow_libtorch() { return 0; }
