using System.IO;
using System.Linq;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>A test that compares Ferry with the NGINX of this machine. Where there is none, it is reported as skipped, with the reason.</summary>
internal sealed class NginxFactAttribute : FactAttribute
{
    public const string Program = "/usr/sbin/nginx";

    public NginxFactAttribute()
    {
        if (!File.Exists(Program) || StreamModule is null)
            Skip = "NOT COMPARED WITH NGINX: needs the Debian packages nginx and libnginx-mod-stream";
    }

    /// <summary>The stream module, or null where there is none.</summary>
    public static string? StreamModule { get; } =
        new[] { "/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/share/nginx/modules/ngx_stream_module.so" }.FirstOrDefault(File.Exists);
}
