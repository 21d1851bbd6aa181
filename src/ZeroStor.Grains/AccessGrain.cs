using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Orleans.Storage;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>An access key, as it is stored. Property names are the stored format.</summary>
[GenerateSerializer, Alias("zs.access-key")]
public sealed class StoredAccessKey
{
    [Id(0)] public string Id { get; set; } = "";

    /// <summary>32 random bytes, wrapped; the secret is their hexadecimals.</summary>
    [Id(1)] public byte[] Sealed { get; set; } = [];

    /// <summary>The id of the master key that wraps it.</summary>
    [Id(2)] public string HeldBy { get; set; } = "";

    [Id(3)] public VaultRights Rights { get; set; }

    /// <summary>Empty: every vault.</summary>
    [Id(4)] public List<string> Vaults { get; set; } = [];

    [Id(5)] public DateTimeOffset Created { get; set; }
}

/// <summary>All access keys of the fabric, in the order of their making.</summary>
[GenerateSerializer, Alias("zs.access-state")]
public sealed class AccessState
{
    [Id(0)] public List<StoredAccessKey> Keys { get; set; } = [];
}

/// <summary>The access keys: few and seldom changed, so they are small state and no tables. What is asked is
/// answered from a state no older than <see cref="MaxAge"/>, so of two activations, which there may be for a
/// moment, one that did not make a change knows of it all the same; changes are written only over the state
/// that was read.</summary>
internal sealed class AccessGrain(
    [PersistentState("access", ZeroStorSilo.StorageName)] IPersistentState<AccessState> state,
    FabricKey master,
    IEntropy entropy,
    TimeProvider time) : Grain, IAccessDoor, IAccessGrain
{
    /// <summary>With what front ends remember together well below the minute that a revocation may
    /// take.</summary>
    internal static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    private const int SecretBytes = 32;

    private const string IdPrefix = "ZS";

    private const int IdLength = 20;

    // 32 of them, so that five bits of a random byte choose one without a bias.
    private const string IdAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    private long _readAt = time.GetTimestamp();

    private List<StoredAccessKey> Keys => state.State.Keys;

    public async Task<AccessKeyGrant?> CreateAsync(AccessKeySpec spec, CancellationToken cancel)
    {
        Check(spec);
        await ReadAsync(cancel);
        if (spec.OnlyFirst && Keys.Count > 0)
        {
            return null;
        }

        if (Keys.Count >= AccessKeySpec.MaxKeys)
        {
            throw new ZeroStorException(
                ErrorKind.QuotaExceeded,
                $"there are {Keys.Count} access keys, which is the most: revoke those that nobody uses");
        }

        byte[] secret = new byte[SecretBytes];
        try
        {
            entropy.Fill(secret);
            var made = new StoredAccessKey
            {
                Id = NewId(),
                Rights = spec.Rights,
                Vaults = [.. spec.Vaults],
                Created = time.GetUtcNow(),
            };
            await WrapAsync(made, secret, cancel);
            await WriteAsync([.. Keys, made], cancel);
            return new AccessKeyGrant { Key = InfoOf(made), Secret = Convert.ToHexStringLower(secret) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public async Task<ImmutableArray<AccessKeyInfo>> ListAsync(CancellationToken cancel)
    {
        await ReadAsync(cancel);
        return [.. Keys.Select(InfoOf)];
    }

    public async Task<AccessKeyGrant?> FindAsync(string id, CancellationToken cancel)
    {
        if (time.GetElapsedTime(_readAt) >= MaxAge)
        {
            await ReadAsync(cancel);
        }

        if (Keys.Find(k => k.Id == id) is not { } found)
        {
            return null;
        }

        byte[] secret = await UnwrapAsync(found, cancel);
        try
        {
            return new AccessKeyGrant { Key = InfoOf(found), Secret = Convert.ToHexStringLower(secret) };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public async Task<bool> RevokeAsync(string id, CancellationToken cancel)
    {
        await ReadAsync(cancel);
        List<StoredAccessKey> left = [.. Keys.Where(k => k.Id != id)];
        if (left.Count == Keys.Count)
        {
            return false;
        }

        await WriteAsync(left, cancel);
        return true;
    }

    public async Task<int> HoldUnderStandingAsync(CancellationToken cancel)
    {
        await ReadAsync(cancel);
        string standing = (await master.StandingAsync(cancel)).Id;
        var held = new List<StoredAccessKey>();
        int changed = 0;
        foreach (StoredAccessKey key in Keys)
        {
            if (key.HeldBy == standing)
            {
                held.Add(key);
                continue;
            }

            var again = new StoredAccessKey
            {
                Id = key.Id, Rights = key.Rights, Vaults = key.Vaults, Created = key.Created,
            };
            byte[] secret = await UnwrapAsync(key, cancel);
            await WrapAsync(again, secret, cancel);
            CryptographicOperations.ZeroMemory(secret);
            held.Add(again);
            changed++;
        }

        if (changed > 0)
        {
            await WriteAsync(held, cancel);
        }

        return changed;
    }

    private static void Check(AccessKeySpec spec)
    {
        if (spec.Rights == VaultRights.None || (spec.Rights & ~VaultRights.All) != 0)
        {
            throw ZeroStorException.Invalid(
                $"{(int)spec.Rights} are no rights of an access key: create, read, write, list and delete "
                + "are");
        }

        if (spec.Vaults.Length > AccessKeySpec.MaxVaults)
        {
            throw ZeroStorException.Invalid(
                $"an access key for {spec.Vaults.Length} vaults is too much: {AccessKeySpec.MaxVaults} is the "
                + "most, and * is every vault");
        }

        foreach (string vault in spec.Vaults)
        {
            VaultName.Check(vault);
        }
    }

    private static AccessKeyInfo InfoOf(StoredAccessKey key) => new()
    {
        Id = key.Id, Rights = key.Rights, Vaults = [.. key.Vaults], Created = key.Created,
    };

    // A secret that was put behind another key's id opens nothing.
    private static byte[] BindingOf(StoredAccessKey key) => Encoding.UTF8.GetBytes($"access key {key.Id}");

    private string NewId()
    {
        Span<byte> random = stackalloc byte[IdLength - IdPrefix.Length];
        entropy.Fill(random);
        var id = new StringBuilder(IdPrefix, IdLength);
        foreach (byte b in random)
        {
            id.Append(IdAlphabet[b & 31]);
        }

        return id.ToString();
    }

    private async Task WrapAsync(StoredAccessKey key, byte[] secret, CancellationToken cancel)
    {
        Sealing.MasterKey holder = await master.StandingAsync(cancel);
        key.Sealed = await holder.WrapAsync(secret, BindingOf(key), entropy, cancel);
        key.HeldBy = holder.Id;
    }

    private async Task<byte[]> UnwrapAsync(StoredAccessKey key, CancellationToken cancel)
    {
        byte[] secret = new byte[SecretBytes];
        return await master.Find(key.HeldBy).TryUnwrapAsync(key.Sealed, BindingOf(key), secret, cancel)
            ? secret
            : throw ZeroStorException.Corrupt(
                $"the secret of access key {key.Id} does not open: it is damaged, or under master key "
                + $"{key.HeldBy}, which this silo has not");
    }

    private async Task ReadAsync(CancellationToken cancel)
    {
        await state.ReadStateAsync(cancel);
        _readAt = time.GetTimestamp();
    }

    private async Task WriteAsync(List<StoredAccessKey> keys, CancellationToken cancel)
    {
        List<StoredAccessKey> before = state.State.Keys;
        state.State.Keys = keys;
        try
        {
            await state.WriteStateAsync(cancel);
        }
        catch (InconsistentStateException e)
        {
            state.State.Keys = before;
            throw new ZeroStorException(
                ErrorKind.Unavailable,
                "the access keys were changed by another silo meanwhile: try again",
                e);
        }
        catch
        {
            state.State.Keys = before;
            throw;
        }
    }
}
