using System.IO;

namespace Ferry.FunctionalTests.Harness;

/// <summary>A folder of its own for a test, gone with all that is in it.</summary>
internal sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        Path = Directory.CreateTempSubdirectory("ferry-test-").FullName;
        // Servers enter it as the user that they serve files for.
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }

    public string Path { get; }

    /// <summary>The path of something in the folder.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string NewFolder(string name) => Directory.CreateDirectory(this[name]).FullName;

    public string NewFile(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public string NewFile(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
