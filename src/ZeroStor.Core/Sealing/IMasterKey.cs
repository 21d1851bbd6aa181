namespace ZeroStor.Sealing;

/// <summary>What holds the private keys of vaults in custody <c>fabric</c>: a port. <see cref="MasterKey"/>, which is
/// read from a file, is the first behind it; a hardware module or a key service would be another. All silos of a
/// fabric must be given the same. Implementations are thread-safe, and never show a key in an exception, a log or
/// <see cref="object.ToString"/>.</summary>
public interface IMasterKey : IDisposable
{
    /// <summary>Tells it from others without showing anything of it: at most <see cref="MaxIdLength"/> characters of
    /// ASCII. The catalog has it, and every wrapped key names it.</summary>
    string Id { get; }

    /// <summary>Wraps a key of 32 bytes, bound to <paramref name="binding"/>: whoever gives another binding, or a
    /// changed blob, gets nothing.</summary>
    /// <param name="key">The caller zeroes it.</param>
    /// <param name="binding">Up to 256 bytes.</param>
    /// <param name="entropy">For what is drawn on this side.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>At most <see cref="MaxWrappedBytes"/>.</returns>
    /// <exception cref="ZeroStorException">Unavailable: it is somewhere else and does not answer.</exception>
    ValueTask<byte[]> WrapAsync(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> binding, IEntropy entropy, CancellationToken cancel);

    /// <summary>Unwraps; false where the blob is damaged or of another binding, and then the target holds zeros.
    /// </summary>
    /// <exception cref="ZeroStorException">Unavailable.</exception>
    ValueTask<bool> TryUnwrapAsync(
        ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> binding, Memory<byte> key, CancellationToken cancel);

    /// <summary>Names of keys in key services are this long.</summary>
    const int MaxIdLength = 256;

    /// <summary>Blobs of key services are some hundred bytes.</summary>
    const int MaxWrappedBytes = 1024;
}
