using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Linq;

namespace Ferry.FunctionalTests.Load;

/// <summary>What <c>ferry.tls.handshakes</c> counts, from here on. Of all proxies of this process, so that it is for tests that run alone.</summary>
internal sealed class HandshakeCounts : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _counts = new();
    private readonly MeterListener _listener = new();

    public HandshakeCounts()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "Ferry", Name: "ferry.tls.handshakes" })
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => _counts.AddOrUpdate(string.Join(' ', tags.ToArray().Select(t => t.Value)), value, (_, sum) => sum + value));
        _listener.Start();
    }

    /// <summary>By side, channel and result: <c>upstream data resumed 3</c>.</summary>
    public string[] Counts => [.. _counts.Select(c => $"{c.Key} {c.Value}").Order(StringComparer.Ordinal)];

    public void Dispose() => _listener.Dispose();
}
