using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;

namespace ZeroStor.Catalog;

/// <summary>Puts a catalog into an Orleans silo, with Orleans' own grain storage on the same
/// database.</summary>
public static class CatalogSilo
{
    /// <summary>Orleans knows SQLite by the name of another driver and loads Microsoft.Data.Sqlite.</summary>
    private const string SqliteInvariant = "System.Data.SQLite";

    /// <summary>Adds an open catalog; the silo's host disposes it.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="catalog">From <see cref="SqliteCatalog.OpenAsync"/>.</param>
    /// <param name="storageName">The grain storage to add beside it.</param>
    public static ISiloBuilder AddZeroStorCatalog(
        this ISiloBuilder silo, SqlCatalog catalog, string storageName = "zerostor")
    {
        silo.Services.AddSingleton<ICatalog>(_ => catalog);
        return silo.AddAdoNetGrainStorage(storageName, (AdoNetGrainStorageOptions storage) =>
        {
            storage.Invariant = SqliteInvariant;
            storage.ConnectionString = catalog.ConnectionString;

            // Plain JSON: a renamed type must not make what is stored unreadable.
            storage.GrainStorageSerializer = new SystemTextJsonGrainStorageSerializer(
                Options.Create(new SystemTextJsonGrainStorageSerializerOptions()));
        });
    }
}
