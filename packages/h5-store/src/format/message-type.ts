/**
 * The types of object header messages that this package writes, reads or knows to be harmless.
 * Source: HDF5 File Format Specification 3.0, section IV.A.2.
 */
export const MESSAGE_TYPE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  groupInfo: 0x0a,
  filters: 0x0b,
  attribute: 0x0c,
  oldModificationTime: 0x0e,
  continuation: 0x10,
  symbolTable: 0x11,
  modificationTime: 0x12,
  btreeK: 0x13,
  attributeInfo: 0x15,
  referenceCount: 0x16,
} as const;
