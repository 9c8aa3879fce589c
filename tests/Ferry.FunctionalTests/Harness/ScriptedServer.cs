using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>
/// An FTP server that says and does exactly what a test tells it, once a connection. A script that fails resets its connection, and
/// its failure comes out of <see cref="DoneAsync"/> or, at the latest, of <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly Func<ScriptedConnection, Task> _script;
    private readonly List<ScriptedConnection> _connections = [];
    private readonly List<Task> _scripts = [];
    private readonly List<(int Count, TaskCompletionSource Source)> _waiters = [];
    private readonly Task _accepting;
    private volatile bool _stopping;
    private bool _reported;

    private ScriptedServer(Socket listener, Func<ScriptedConnection, Task> script)
    {
        _listener = listener;
        _script = script;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    public int Port => EndPoint.Port;

    /// <summary>The control connections that came, the ended ones included.</summary>
    public IReadOnlyList<ScriptedConnection> Connections
    {
        get
        {
            lock (_connections)
                return _connections.ToArray();
        }
    }

    public static ScriptedServer Start(Func<ScriptedConnection, Task> script, IPAddress? address = null, int port = 0)
    {
        address ??= IPAddress.Loopback;
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, port));
        listener.Listen(4096);
        return new ScriptedServer(listener, script);
    }

    /// <summary>Ends when so many connections have come.</summary>
    public async Task ConnectedAsync(int count = 1)
    {
        TaskCompletionSource source;
        lock (_connections)
        {
            if (_connections.Count >= count)
                return;
            source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, source));
        }
        await Wait.For(source.Task, $"{count} connections to the scripted server");
    }

    /// <summary>Ends when the scripts of all connections that came so far have ended; throws the first failure of one.</summary>
    public async Task DoneAsync()
    {
        Task[] scripts;
        lock (_connections)
            scripts = [.. _scripts];
        _reported = true;
        await Wait.For(Task.WhenAll(scripts), "the scripts to end");
    }

    public async ValueTask DisposeAsync()
    {
        Task[] scripts;
        lock (_connections)
        {
            // A script that has failed by now failed by itself; what fails from here on fails because we close.
            scripts = [.. _scripts];
        }
        var failed = _reported ? null : Array.Find(scripts, s => s.IsFaulted);
        _stopping = true;
        _listener.Dispose();
        await _accepting;
        foreach (var connection in Connections)
            connection.Dispose();
        await Wait.For(Task.WhenAll(scripts).ContinueWith(_ => { }, TaskScheduler.Default), "the scripts to end");
        if (failed is not null)
            await failed;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (_stopping && e is SocketException or ObjectDisposedException)
            {
                return;
            }
            lock (_connections)
            {
                var connection = new ScriptedConnection(new LineWire(socket), _connections.Count);
                _connections.Add(connection);
                _scripts.Add(PlayAsync(connection));
                foreach (var (_, source) in _waiters.FindAll(w => w.Count <= _connections.Count))
                    source.TrySetResult();
            }
        }
    }

    private async Task PlayAsync(ScriptedConnection connection)
    {
        await Task.Yield();
        try
        {
            await _script(connection);
            connection.Dispose();
        }
        catch (Exception) when (!_stopping)
        {
            connection.Reset();
            throw;
        }
    }
}
