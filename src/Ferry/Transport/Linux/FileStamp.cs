namespace Ferry.Transport.Linux;

/// <summary>By what a file that was written or replaced differs from the one before.</summary>
internal readonly record struct FileStamp(uint DeviceMajor, uint DeviceMinor, ulong Inode, ulong Size, long ChangedSeconds, uint ChangedNanoseconds);
