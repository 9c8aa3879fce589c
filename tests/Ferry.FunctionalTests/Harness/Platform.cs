using System.Runtime.Versioning;

// The harness reads /proc, sends signals and sets file modes; Ferry is for Linux, and so are its tests.
[assembly: SupportedOSPlatform("linux")]
