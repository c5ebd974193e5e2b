// Copied beside the installed packages. Environment: DATABASE_URL.
const { defineConfig } = require('@medusajs/framework/utils')

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false, connection: { ssl: false } },
    http: {
      storeCors: 'http://127.0.0.1',
      adminCors: 'http://127.0.0.1',
      authCors: 'http://127.0.0.1',
      jwtSecret: 'a-peer-on-the-loopback',
      cookieSecret: 'a-peer-on-the-loopback',
    },
  },
  admin: { disable: true },
  plugins: [{ resolve: '@medusajs/draft-order', options: {} }],
})
