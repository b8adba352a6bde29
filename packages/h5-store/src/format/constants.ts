/** The first bytes of every HDF5 file. */
export const FILE_SIGNATURE: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** HDF5's "no address". */
export const UNDEFINED_ADDRESS = 0xffff_ffff_ffff_ffffn;
