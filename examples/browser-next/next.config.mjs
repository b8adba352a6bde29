/** A site of plain files, in `out`. */
export default { output: 'export' };
