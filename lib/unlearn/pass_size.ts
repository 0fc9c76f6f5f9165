/** Images per pass through the backbone where no memory limit says otherwise: small presets' worth. */
export const PASS_SIZE = 128;
